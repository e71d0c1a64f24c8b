/** Why a field of a spec is refused. The API server says the same with its own rules, made from the same constants. */
export type Refusal = {
  /** Path of the field from the object's root, as the API server writes it: `spec.http.parameters[0].value`. */
  readonly field: string
  readonly code: RefusalCode
  /** One sentence that never repeats a parameter's value. */
  readonly message: string
}

export type RefusalCode =
  /** Type, bound, enumeration or grammar of a single field. */
  | 'FieldRefused'
  | 'SelectorRefused'
  | 'PortRefused'
  | 'PathRefused'
  | 'SchemeRefused'
  | 'CheckRefused'
  | 'KeyRefused'
  | 'KeyRepeated'
  | 'ValueRequired'
  | 'ValueRefused'
  | 'ValueFromRefused'
