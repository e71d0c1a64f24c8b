/**
 * Common passwords in lower case without separators, in their plain form: digits and signs around them, capitals and look-alikes are taken off before they
 * are looked for. Compiled for this project from words and habits that lists of leaked passwords are full of.
 */
const text = `
102030405060 111222333444 112233445566 121212121212 123123123123 123321123321 123abc123abc 123qweasdzxc 147258369147
159753159753 1a2b3c4d5e6f 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc 5201314 741852963741
789456123789 987654321987 a123456789 a1b2c3d4e5f6 a1s2d3f4g5h6 aa123456789 abc123456789 abc123abc123 abcd1234abcd
abracadabra adminadmin adminadminadmin administrador administrator adminpassword alexander america ansible april
arsenal asd123asd123 asdf1234asdf asdfasdfasdf asdfghjkl asdfqwerzxcv ashley asshole august australia autumn azerty
azertyuiop barcelona barcelonafc baseball basketball batman bayernmunich beijing berlin bestfriend bestfriends
blackberry blessed blueberry bullshit butterflies butterfly california callofduty captainamerica centos changeit
changeme changemenow changemeplease changepassword changethis charlie cheeseburger chelsea chocolate christian
christina christopher clusteradmin computer console consoleadmin consolepassword contrasena correcthorse
correcthorsebattery correcthorsebatterystaple counterstrike database debian december defaultpassword demodemo
demodemodemo demopassword docker dockerdocker dolphins dragon dragonball dragonballz elastic elasticsearch elephant
elizabeth england example examplepassword facebook february football footballer forever foreverandever foreveryoung
friday friendsforever fuckoff fuckyou fuckyoufuckyou gameofthrones germany gitlab godbless godisgood godislove
goodluck goodmorning goodnight google grafana guest guestguest harrypotter hellohello hellokitty helloworld icecream
ilovegod ilovejesus iloveme ilovemyfamily ilovemymom ilovemyself iloveyou iloveyoubaby iloveyouforever iloveyoumore
iloveyousomuch instagram internet ironman january jenkins jenkinsadmin jennifer jessica jesuschrist jesusislord
jesuslovesme july june juventus keelson keelsonadmin keelsonconsole keyboard kubeadmin kubernetes kubernetesadmin
letmein letmeinnow letmeinplease linkedin linux liverpool liverpoolfc london lordoftherings losangeles madrid
manchester manchesterunited march master michael michelle microsoft mimamima minecraft monday monkey motdepasse
motherfucker motorola mypassword mypasswordis mysecret mysecretpassword mysql mysqlpassword newyork newyorkcity
nicholas nintendo nopassword nothing nothingatall november october opensesame openshift openthedoor operator
operatoroperator oracle p0o9i8u7y6t5 pa55w0rd paris passphrase password passwordis passwordpassword passwort
playstation pokemon pokemonmaster postgres postgrespassword postgresql princess princessa prometheus q123456789
q1w2e3r4t5 q1w2e3r4t5y6 qaywsxedc qazwsxedc qazwsxedcrfv qq123456789 qwe123qwe123 qwer1234qwer qwerasdfzxcv qwerty
qwertyqwerty qwertyuiop qwertyuiopasdf rancher rancheradmin realmadrid redhat rootpassword rootroot samantha samsung
samsunggalaxy saturday secret secretpassword secretsecret september server serveradmin serverpassword shadow shanghai
something somethingelse spiderman spring springtime sqlserver starwars stephanie strawberry summer summertime sunday
sunshine sunshineday superadmin superman superuser supervisor support supportsupport sysadmin system systemadmin
temporary temporarypassword temppassword terraform testing testingtesting testpassword testtest testtesttest testuser
thisisapassword thisismypassword thursday tinkerbell topsecret trustno trustnobody trustnoone tuesday ubuntu username
usernamepassword useruser vagrant vagrantvagrant victoria wachtwoord wednesday welcome welcometo welcomewelcome
whatever whateverwhatever whatsapp windows winter wintertime woaini woaini1314520 woainima woainiwoaini wodemima
wonderwoman youtube zaq12wsxcde3 zhongguo zxc123zxc123 zxcvbnm zxcvbnmasdf
`

export const commonPasswords: ReadonlySet<string> = new Set(text.split(/\s+/).filter((word) => word !== ''))
