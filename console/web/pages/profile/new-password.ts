const minLength = 12

/** What is wrong with a new password as far as this page can tell; the server knows the common ones. Characters are counted as it counts them. */
export function newPasswordError(password: string, repeat: string): 'tooShort' | 'differs' | undefined {
  if (Array.from(password).length < minLength) return 'tooShort'
  return password === repeat ? undefined : 'differs'
}
