import { IconDevices } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import { endSession, listSessions, type SessionSummary } from '../../../protocol/session.ts'
import { call } from '../../call.ts'
import {
  Ago,
  Badge,
  Button,
  Card,
  ConfirmDialog,
  ErrorPanel,
  Loading,
  Moment,
  ProblemNotice,
  showToast,
  Table,
} from '../../ui/index.ts'
import { browserName } from './browser-name.ts'

type Summary = z.infer<typeof SessionSummary>

/** Where this account is signed in; any other session can be ended. */
export function SessionsCard(): ReactNode {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [ending, setEnding] = useState<Summary>()
  const sessions = useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => call(listSessions, {}, signal),
  })
  const end = useMutation({
    mutationFn: ({ id }: Summary) => call(endSession, { params: { id } }),
    onSuccess: async () => {
      setEnding(undefined)
      showToast(t('profile.ended'))
      await client.invalidateQueries({ queryKey: ['sessions'] })
    },
  })
  const namesOf = ({ userAgent, address }: Summary) => ({
    browser: browserName(userAgent) ?? t('profile.unknownBrowser'),
    address,
  })
  return (
    <Card flush title={t('profile.sessions')} subtitle={t('profile.sessionsHint')}>
      {sessions.isPending && <Loading lines={3} />}
      {sessions.isError && <ErrorPanel error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {sessions.isSuccess && (
        <Table
          label={t('profile.sessions')}
          rows={sessions.data.sessions}
          rowKey={({ id }) => id}
          columns={[
            {
              key: 'browser',
              header: t('profile.session.browser'),
              render: (session) => (
                <span className="k-row" title={session.userAgent}>
                  {namesOf(session).browser}
                  {session.current && (
                    <Badge tone="info" icon={IconDevices}>
                      {t('profile.current')}
                    </Badge>
                  )}
                </span>
              ),
            },
            {
              key: 'address',
              header: t('profile.session.address'),
              render: ({ address }) => <span className="k-mono">{address}</span>,
            },
            {
              key: 'since',
              header: t('profile.session.since'),
              render: ({ createdAt }) => <Moment time={createdAt} />,
            },
            { key: 'seen', header: t('profile.session.seen'), render: ({ lastSeenAt }) => <Ago time={lastSeenAt} /> },
            {
              key: 'end',
              header: <span className="visually-hidden">{t('common.actions')}</span>,
              narrow: true,
              align: 'end',
              render: (session) =>
                !session.current && (
                  <Button
                    size="small"
                    onClick={() => {
                      end.reset()
                      setEnding(session)
                    }}
                    aria-label={t('profile.endSession', namesOf(session))}
                  >
                    {t('profile.end')}
                  </Button>
                ),
            },
          ]}
        />
      )}
      <ConfirmDialog
        open={ending !== undefined}
        title={t('profile.endTitle')}
        confirm={t('profile.end')}
        variant="danger"
        busy={end.isPending}
        onConfirm={() => ending !== undefined && end.mutate(ending)}
        onClose={() => setEnding(undefined)}
      >
        {ending !== undefined && <p>{t('profile.endText', namesOf(ending))}</p>}
        <ProblemNotice error={end.error} />
      </ConfirmDialog>
    </Card>
  )
}
