import { metrics, type MetricName, type MetricsSink } from '../metrics.ts'

/** Takes measurements as a metrics library would: by name and labels, refusing what is not described. */
export class RecordedMetrics implements MetricsSink {
  /** By `name{label="value",…}`: the value of a counter or gauge, the count of a histogram. */
  readonly values = new Map<string, number>()
  /** All values that a series was given, in their order. */
  readonly history: [series: string, value: number][] = []

  add(name: MetricName, labels: Readonly<Record<string, string>>, amount: number): void {
    this.#record(name, labels, amount, true)
  }

  set(name: MetricName, labels: Readonly<Record<string, string>>, value: number): void {
    this.#record(name, labels, value, false)
  }

  observe(name: MetricName, labels: Readonly<Record<string, string>>, value: number): void {
    if (!(value >= 0)) throw new Error(`${name}: ${value} is no duration`)
    this.#record(name, labels, 1, true)
  }

  get(series: string): number | undefined {
    return this.values.get(series)
  }

  #record(name: MetricName, labels: Readonly<Record<string, string>>, value: number, sum: boolean): void {
    const expected = [...metrics[name].labels].toSorted().join()
    if (Object.keys(labels).toSorted().join() !== expected) throw new Error(`${name}: labels must be ${expected}`)
    const text = metrics[name].labels.map((label) => `${label}="${labels[label]}"`).join()
    const series = text === '' ? name : `${name}{${text}}`
    this.values.set(series, (sum ? (this.values.get(series) ?? 0) : 0) + value)
    this.history.push([series, this.values.get(series)!])
  }
}
