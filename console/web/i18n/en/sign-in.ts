/** Pages without a session, and the change of a password. */
export const signIn = {
  title: 'Sign in',
  name: 'Name of the account',
  password: 'Password',
  submit: 'Sign in',
  bootstrapOpen:
    'Nobody has an account yet. Open the link that the console has written into its log at its start: it makes the first administrator.',
  bootstrap: {
    title: 'First administrator',
    text: 'This sets the password of the first account. It may do everything in Keelson, and make further accounts.',
    displayName: 'Your name',
    displayNameHint: 'As others see it.',
    submit: 'Set the password and sign in',
    noToken:
      'There is no token in this address. Open the whole link from the log of the console, with what follows the #.',
    closed: 'The first account exists already.',
    toSignIn: 'To the sign-in page',
  },
  change: {
    title: 'Change your password',
    first: 'Somebody else has set your password. Choose one that only you know.',
    current: 'Present password',
    next: 'New password',
    repeat: 'New password again',
    rule: 'At least 12 characters; no common one, and not the name of the account.',
    tooShort: 'It takes at least 12 characters.',
    differs: 'The two are not the same.',
    submit: 'Change the password',
    done: 'Your password is changed. All other sessions have ended.',
  },
} as const
