import type { OperatorMetrics } from '../metrics/operator-metrics.ts'
import type { Health } from './health.ts'
import type { Answer, Routes } from './http-server.ts'

/** What kubelet and Prometheus ask for. */
export function probesAndMetrics(health: Health, metrics: OperatorMetrics): Routes {
  const told = (fault: string | undefined): Answer =>
    fault === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${fault}\n` }
  return {
    '/healthz': () => told(health.fault()),
    '/readyz': () => told(health.waitingFor()),
    '/metrics': async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.text() }),
  }
}
