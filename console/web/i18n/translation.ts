/**
 * The shape that every language has to fill in, taken from the English one: the same keys, any text. Chinese has one plural form, so that `…_one` stays
 * away there.
 */
export type Translation<English> = {
  readonly [Key in keyof English as Key extends `${string}_one` ? never : Key]: English[Key] extends string
    ? string
    : Translation<English[Key]>
}
