/** What a problem's code says to a person. A code that is not here is told in the words of the server. */
export const problems = {
  Unreachable: 'The console does not answer. Check the network, then try again.',
  AnswerNotUnderstood: 'The console gave an answer that this page does not understand.',
  PageFailed: 'This page has failed: {{message}}',
  SignInRefused: 'The name or the password is wrong.',
  Unauthenticated: 'You are not signed in any more.',
  TooManyRequests: 'Too many tries. Wait {{seconds}} s, then try again.',
  Forbidden: 'You do not have the right to do this.',
  NotFound: 'There is no such object, or no more.',
  Conflict: 'It has changed meanwhile. Look at it again before you go on.',
  ClusterUnreachable: 'The console cannot reach the Kubernetes API server.',
  PasswordTooShort: 'The password is too short: it takes 12 characters.',
  PasswordTooCommon: 'This password is among the most common ones. Choose another.',
  WrongPassword: 'The present password is wrong.',
  BootstrapClosed: 'The first account exists already. Sign in with it.',
  BootstrapTokenWrong: 'This link is not the one in the log of the console, or it has been used.',
  PasswordChangeRequired: 'Change your password first.',
} as const
