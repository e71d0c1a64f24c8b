/** What a problem's code says to a person. A code that is not here is told in the words of the server. */
export const problems = {
  Unreachable: 'The console does not answer. Check the network, then try again.',
  AnswerNotUnderstood: 'The console gave an answer that this page does not understand.',
  PageFailed: 'This page has failed: {{message}}',
  SignInRefused: 'The name or the password is wrong.',
  SignInRequired: 'You are not signed in any more.',
  TooManyCalls: 'Too many tries. Wait {{seconds}} s, then try again.',
  CsrfRefused: 'This page is older than your session. Load it again.',
  Unforeseen: 'The console has failed at this. Its log says why.',
  BodyTooLarge: 'This is more than the console takes at once.',
  DatabaseUnreachable: 'The console cannot reach its database.',
  PasswordRefused:
    'This password is too easy to guess. Take at least 12 characters: no common password, not the name of the account, no repetition and no row of keys.',
  PasswordWrong: 'The present password is wrong.',
  NotBegun:
    'The operator has not begun this yet, or not seen its last change. Pause or delete it, or try again in a moment.',
  RunFinished: 'The run has ended already.',
  RunNotFinished: 'The run has not ended yet: wait for its end, or abort it.',
  NothingToRetry: 'No host of the last run is to be tried again.',
  TooManyToRetry: 'One request can name 1,024 hosts at most. Run all of it again, or make one with a label selector.',
  PasswordChangeRequired: 'Change your password first.',
  BootstrapRefused:
    'This link is not the newest one in the log of the console, or it has been used. Open the newest one.',
  SessionNotFound: 'This session has ended already.',
  TimeZoneUnknown: 'Nobody knows this time zone. Take a name as Europe/Berlin.',
  AccountExists: 'There is an account of this name already.',
  AccountNotFound: 'There is no such account, or no more.',
  OwnAccount: 'This cannot be done to your own account.',
  NotAPerson: 'This is a script: it has no password.',
  PasswordMissing: 'This person has no password yet: set one.',
  TokenRightMissing:
    'Kubernetes does not let you make tokens of this account, so you may not decide who signs in with it.',
  TokenNotFound: 'There is no such token, or no more.',
  TooManyTokens: 'This account has 100 tokens: revoke those that nothing uses any more.',
  TokenNotMade: 'The cluster has made no token in time. Take one that expires.',
} as const
