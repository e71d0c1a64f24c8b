import { IconPlus, IconTrash } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { hostAreas, roles } from '../../../protocol/access.ts'
import { useHosts } from '../../live/use-live.ts'
import { Button, Checkbox, Choice, TextInput } from '../../ui/index.ts'
import {
  hasNamespaces,
  maxGrants,
  namesIn,
  newHosts,
  places,
  type DraftProblem,
  type GrantsDraft,
  type HostArea,
  type HostsDraft,
  type Role,
  type RoleDraft,
} from './grants-draft.ts'

interface GrantsEditorProps {
  readonly draft: GrantsDraft
  readonly problems: readonly DraftProblem[]
  readonly onChange: (draft: GrantsDraft) => void
}

/** Roles, each nowhere, everywhere or in some namespaces; then rights on hosts, of which there may be any number. */
export function GrantsEditor({ draft, problems, onChange }: GrantsEditorProps): ReactNode {
  const { t } = useTranslation()
  const setRole = (role: Role, change: Partial<RoleDraft>) =>
    onChange({ ...draft, roles: { ...draft.roles, [role]: { ...draft.roles[role], ...change } } })
  const setHosts = (id: number, change: Partial<HostsDraft>) =>
    onChange({ ...draft, hosts: draft.hosts.map((row) => (row.id === id ? { ...row, ...change } : row)) })
  return (
    <div className="k-stack">
      <fieldset className="k-grants">
        <legend>{t('access.roles')}</legend>
        {roles.map((role) => (
          <RoleFields
            key={role}
            role={role}
            draft={draft.roles[role]}
            problem={problems.find((each) => 'role' in each && each.role === role)}
            onChange={(change) => setRole(role, change)}
          />
        ))}
      </fieldset>
      <fieldset className="k-grants">
        <legend>{t('access.hostRights')}</legend>
        <p className="k-muted">{t('access.hostRightsHint')}</p>
        {draft.hosts.map((row, index) => (
          <HostsFields
            key={row.id}
            number={index + 1}
            draft={row}
            problems={problems.filter((each) => 'hosts' in each && each.hosts === row.id)}
            onChange={(change) => setHosts(row.id, change)}
            onRemove={() => onChange({ ...draft, hosts: draft.hosts.filter(({ id }) => id !== row.id) })}
          />
        ))}
        <Button
          icon={<IconPlus aria-hidden size={16} />}
          disabled={draft.hosts.length >= maxGrants - roles.length}
          onClick={() => onChange({ ...draft, hosts: [...draft.hosts, newHosts(draft)] })}
        >
          {t('access.addHostRights')}
        </Button>
      </fieldset>
    </div>
  )
}

function useProblemText(): (problem: DraftProblem | undefined) => string | undefined {
  const { t } = useTranslation()
  return (problem) =>
    problem && t(`access.problem.${problem.reason}`, { names: problem.names?.slice(0, 5).join(', ') ?? '' })
}

interface RoleFieldsProps {
  readonly role: Role
  readonly draft: RoleDraft
  readonly problem: DraftProblem | undefined
  readonly onChange: (change: Partial<RoleDraft>) => void
}

function RoleFields({ role, draft, problem, onChange }: RoleFieldsProps): ReactNode {
  const { t } = useTranslation()
  const problemText = useProblemText()
  const offered = places.filter((place) => place !== 'Namespaces' || hasNamespaces(role))
  return (
    <div className="k-grant">
      <div>
        <Choice
          legend={role}
          look="segments"
          value={draft.place}
          options={offered.map((place) => ({
            value: place,
            label: t(hasNamespaces(role) ? `access.place.${place}` : place === 'Nowhere' ? 'common.no' : 'common.yes'),
          }))}
          onChange={(place) => onChange({ place })}
        />
        <p className="form-hint k-muted">{t(`access.roleHint.${role}`)}</p>
      </div>
      {draft.place === 'Namespaces' && (
        <TextInput
          label={t('access.namespacesOf', { role })}
          hint={t('access.namespacesHint')}
          monospace
          value={draft.namespaces}
          error={problemText(problem)}
          onChange={(namespaces) => onChange({ namespaces })}
        />
      )}
    </div>
  )
}

interface HostsFieldsProps {
  readonly number: number
  readonly draft: HostsDraft
  readonly problems: readonly DraftProblem[]
  readonly onChange: (change: Partial<HostsDraft>) => void
  readonly onRemove: () => void
}

function HostsFields({ number, draft, problems, onChange, onRemove }: HostsFieldsProps): ReactNode {
  const { t } = useTranslation()
  const problemText = useProblemText()
  const { state, items } = useHosts()
  const known = new Set(items.map(({ name }) => name))
  const strangers = state === 'Live' ? namesIn(draft.hosts).filter((name) => !known.has(name)) : []
  const ofHosts = problems.find(({ reason }) => reason !== 'AreasMissing')
  const ofAreas = problemText(problems.find(({ reason }) => reason === 'AreasMissing'))
  const toggle = (area: HostArea, on: boolean) =>
    onChange({ areas: on ? [...draft.areas, area] : draft.areas.filter((each) => each !== area) })
  return (
    <fieldset className="k-grant k-grant-hosts">
      <legend className="k-row">
        {t('access.hostRight', { number })}
        <Button
          variant="ghost"
          size="small"
          icon={<IconTrash aria-hidden size={16} />}
          aria-label={t('access.removeHostRight', { number })}
          onClick={onRemove}
        />
      </legend>
      <Choice
        legend={t('access.whichHosts')}
        look="segments"
        value={draft.every ? 'Every' : 'Named'}
        options={[
          { value: 'Named', label: t('access.namedHosts') },
          { value: 'Every', label: t('access.everyHost') },
        ]}
        onChange={(value) => onChange({ every: value === 'Every' })}
      />
      {!draft.every && (
        <TextInput
          label={t('access.hostNames')}
          hint={
            strangers.length > 0
              ? t('access.unknownHosts', { names: strangers.slice(0, 5).join(', '), count: strangers.length })
              : t('access.hostNamesHint')
          }
          monospace
          value={draft.hosts}
          error={problemText(ofHosts)}
          onChange={(hosts) => onChange({ hosts })}
        />
      )}
      <fieldset className="k-choice">
        <legend className="form-label">{t('access.areas')}</legend>
        <div className="k-areas">
          {hostAreas.map((area) => (
            <Checkbox
              key={area}
              label={<span className="k-mono">{`hosts/${area}`}</span>}
              checked={draft.areas.includes(area)}
              onChange={(on) => toggle(area, on)}
            />
          ))}
        </div>
        <div className="k-field-error" aria-live="polite">
          {ofAreas}
        </div>
      </fieldset>
      <Choice
        legend={t('access.methods')}
        look="segments"
        value={draft.access}
        options={[
          { value: 'Get', label: t('access.getOnly') },
          { value: 'Update', label: t('access.everyMethod') },
        ]}
        onChange={(access) => onChange({ access })}
      />
    </fieldset>
  )
}
