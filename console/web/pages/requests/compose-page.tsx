import { IconAlertTriangle, IconFlask, IconHistory } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { createRequest, deleteRequest } from '../../../protocol/requests.ts'
import { call } from '../../call.ts'
import { checkForm } from '../../request-form/check-form.ts'
import { dropDraft } from '../../request-form/draft.ts'
import { refusalsOf, type Refusal } from '../../request-form/refusal.ts'
import type { RequestForm } from '../../request-form/request-form.ts'
import { specOf } from '../../request-form/spec-of-form.ts'
import { commandText } from '../../kubectl/command.ts'
import { createCommand } from '../../kubectl/requests.ts'
import { problemOf } from '../../problem-error.ts'
import { Button, KubectlCommand, Loading, Notice, Page, ProblemNotice, problemText, showToast } from '../../ui/index.ts'
import { DryRunReview } from './form/dry-run-review.tsx'
import { EditingContext, errorsByField, type Editing } from './form/editing.tsx'
import { HostsCard } from './form/hosts-card.tsx'
import { IdentityCard } from './form/identity-card.tsx'
import { OptionsCard } from './form/options-card.tsx'
import { ManifestCard, PreviewCard } from './form/preview-card.tsx'
import { Refused } from './form/refused.tsx'
import { useForm, useStartingForm } from './form/use-form.ts'
import { WhatCard } from './form/what-card.tsx'
import { partsOf } from './list-requests.ts'

const route = getRouteApi('/app/requests/new')

/** Writes a request, has it tried without sending anything, and sends it. */
export function ComposePage(): ReactNode {
  const { t } = useTranslation()
  const start = route.useSearch()
  const { isLoading, initial, failed } = useStartingForm(start)
  const step = start.review === undefined ? 0 : 1
  return (
    <Page
      title={t('compose.title')}
      parent={<Link to="/requests">{t('requests.title')}</Link>}
      actions={<Steps current={step} />}
    >
      {failed && (
        <Notice tone="warning" icon={IconAlertTriangle}>
          {t('compose.copyFailed')}
        </Notice>
      )}
      {isLoading ? <Loading lines={8} /> : <Composer initial={initial} copy={failed ? undefined : start.copy} />}
    </Page>
  )
}

function Steps({ current }: { readonly current: number }): ReactNode {
  const { t } = useTranslation()
  const steps = [t('compose.step.write'), t('compose.step.dryRun'), t('compose.step.send')]
  return (
    <ol className="k-steps" aria-label={t('compose.steps')}>
      {steps.map((step, index) => (
        <li key={step} className="k-step" aria-current={index === current ? 'step' : undefined}>
          <span className="k-step-number">{index + 1}</span> {step}
        </li>
      ))}
    </ol>
  )
}

interface ComposerProps {
  readonly initial: RequestForm | undefined
  /** NAMESPACE/NAME of the request that the form was made from. */
  readonly copy: string | undefined
}

function Composer({ initial, copy }: ComposerProps): ReactNode {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { review } = route.useSearch()
  const { form, change, startAnew, isDraft, edition } = useForm(initial)
  const [isReady, setReady] = useState(false)
  const problems = useMemo(() => checkForm(form), [form])
  const body = useRef<HTMLFormElement>(null)
  const show = useCallback(
    (search: { review?: string }, replace = false) => void navigate({ to: '/requests/new', search, replace }),
    [navigate],
  )
  const [source] = useState(copy)
  const isFromAddress = initial !== undefined
  useEffect(() => {
    // From here on it is a draft: loading the page again is not to bring back what it began from.
    if (isFromAddress) show(review === undefined ? {} : { review }, true)
  }, [isFromAddress, review, show])

  const dryRun = useMutation({
    mutationFn: (asked: RequestForm) => {
      const spec = specOf(asked)
      if (spec === undefined) throw new Error('a form without hosts was sent')
      const { namespace, name } = asked
      return call(createRequest, { body: { namespace, name, spec: { ...spec, dryRun: true } } })
    },
    onSuccess: (_, { namespace, name }) => show({ review: `${namespace}/${name}` }),
  })
  // What was refused holds for what was asked: a form that was changed since is another question.
  const refusals = useMemo<readonly Refusal[]>(
    () => (dryRun.error === null || dryRun.variables !== form ? [] : refusalsOf(problemOf(dryRun.error), form)),
    [dryRun.error, dryRun.variables, form],
  )
  const editing = useMemo<Editing>(
    () => ({ form, change, errorAt: errorsByField(t, form, problems, refusals, isReady) }),
    [form, change, t, problems, refusals, isReady],
  )
  const hasRefusal = refusals.length > 0
  // Else nobody has judged it: the console or the cluster could not be asked.
  const isRefused = hasRefusal && [400, 403, 409, 422].includes(problemOf(dryRun.error).status)
  useEffect(() => {
    // Where the trouble is, once everything is marked.
    if (isReady || hasRefusal) body.current?.querySelector<HTMLElement>('[aria-invalid="true"], .k-problem')?.focus()
  }, [isReady, hasRefusal])

  const takeBack = useMutation({
    mutationFn: () => call(deleteRequest, { params: partsOf(review ?? '/') }),
    onSuccess: () => show({}),
    onError: (error) => showToast(problemText(t, problemOf(error)), 'bad'),
  })
  if (review !== undefined) {
    return (
      <DryRunReview
        {...partsOf(review)}
        onChange={() => takeBack.mutate()}
        isChanging={takeBack.isPending}
        onSent={() => dropDraft(sessionStorage)}
      />
    )
  }
  const spec = problems.length === 0 ? specOf(form) : undefined
  const submit = () => {
    setReady(problems.length > 0)
    if (problems.length === 0) dryRun.mutate(form)
  }
  return (
    <EditingContext value={editing}>
      <form
        ref={body}
        className="k-compose"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (!dryRun.isPending) submit()
        }}
      >
        <div className="k-stack" key={edition}>
          {source !== undefined && <Notice icon={IconHistory}>{t('compose.copyOf', { name: source })}</Notice>}
          {isDraft && (
            <Notice icon={IconHistory}>
              {t('compose.draftKept')}{' '}
              <Button size="small" onClick={startAnew}>
                {t('compose.startAnew')}
              </Button>
            </Notice>
          )}
          <HostsCard />
          <WhatCard />
          <OptionsCard />
          <IdentityCard />
        </div>
        <div className="k-compose-aside k-stack">
          <PreviewCard form={form} />
          {isRefused ? (
            <Refused refusals={refusals} hasFields />
          ) : (
            refusals.length > 0 && <ProblemNotice error={dryRun.error} />
          )}
          {isReady && problems.length > 0 && (
            <Notice tone="bad" icon={IconAlertTriangle} alert>
              {t('compose.problems', { count: problems.length })}
            </Notice>
          )}
          <div>
            <Button
              type="submit"
              variant="primary"
              busy={dryRun.isPending}
              icon={<IconFlask aria-hidden />}
              className="w-100"
            >
              {t('compose.dryRunButton')}
            </Button>
            <div className="form-hint">{t('compose.dryRunHint')}</div>
            {spec !== undefined && (
              <KubectlCommand command={commandText(createCommand(form, { ...spec, dryRun: true }))} />
            )}
          </div>
          <ManifestCard form={form} />
        </div>
      </form>
    </EditingContext>
  )
}
