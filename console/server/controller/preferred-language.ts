type Language = 'en' | 'zh-CN'

/** The first language of an Accept-Language header (RFC 9110, 12.5.4) that the pages have; browsers send them in the order of preference. */
export function preferredLanguage(header: string | undefined): Language {
  for (const range of (header ?? '').toLowerCase().split(',')) {
    const tag = range.split(';', 1)[0]!.trim()
    if (tag === 'zh' || tag.startsWith('zh-')) return 'zh-CN'
    if (tag === 'en' || tag.startsWith('en-')) return 'en'
  }
  return 'en'
}
