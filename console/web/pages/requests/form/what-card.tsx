import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { agentPort } from '@keelson/api'
import { presetOf, presets, withPreset, type PresetName } from '../../../request-form/presets.ts'
import type { RequestForm } from '../../../request-form/request-form.ts'
import { Card, Choice, Notice, Select, TextInput } from '../../../ui/index.ts'
import { useEditing } from './editing.tsx'
import { ParameterRows } from './parameter-rows.tsx'
import { PresetFields } from './preset-fields.tsx'

type Kind = PresetName | 'free'

const kinds: readonly Kind[] = ['sysctl', 'systemdUnit', 'hostname', 'facts', 'free']
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** What hosts get: a type of the agent with a form of its own, or any request. */
export function WhatCard(): ReactNode {
  const { t } = useTranslation()
  const { form, change } = useEditing()
  const preset = presetOf(form)
  const [isFree, setFree] = useState(preset === undefined)
  const kind: Kind = isFree || preset === undefined ? 'free' : preset.name
  const choose = (next: Kind) => {
    setFree(next === 'free')
    const chosen = presets.find(({ name }) => name === next)
    if (chosen !== undefined)
      change(withPreset(form, chosen, chosen.methods[form.method] === undefined ? 'GET' : form.method))
  }
  return (
    <Card title={t('compose.what.title')}>
      <div className="k-stack">
        <Choice
          legend={t('compose.what.kind')}
          look="segments"
          value={kind}
          onChange={choose}
          options={kinds.map((value) => ({ value, label: t(`compose.what.${value}`) }))}
        />
        <div className="k-muted k-small">{t(`compose.what.${kind}Hint`)}</div>
        {kind === 'free' || preset === undefined ? (
          <FreeForm />
        ) : (
          <>
            {Object.keys(preset.methods).length > 1 && (
              <Choice
                legend={t('compose.what.action')}
                look="segments"
                value={form.method}
                onChange={(method) => change(withPreset(form, preset, method))}
                options={(Object.keys(preset.methods) as RequestForm['method'][]).map((value) => ({
                  value,
                  label: t(`compose.what.${actionOf(preset.name, value)}`),
                }))}
              />
            )}
            <PresetFields preset={preset} />
          </>
        )}
      </div>
    </Card>
  )
}

function actionOf(preset: PresetName, method: RequestForm['method']): 'read' | 'set' | 'look' | 'change' {
  if (preset === 'systemdUnit') return method === 'GET' ? 'look' : 'change'
  return method === 'GET' ? 'read' : 'set'
}

function FreeForm(): ReactNode {
  const { t } = useTranslation()
  const { form, change, errorAt } = useEditing()
  const isQuery = form.method === 'GET' || form.method === 'DELETE'
  return (
    <>
      <div className="k-request-line">
        <Select
          label={t('compose.what.method')}
          value={form.method}
          onChange={(method) => change({ method })}
          options={methods.map((value) => ({ value, label: value }))}
        />
        <TextInput
          label={t('compose.what.port')}
          hint={t('compose.what.portHint')}
          inputMode="numeric"
          value={form.port}
          error={errorAt('port')}
          onChange={(port) => change({ port })}
        />
        <TextInput
          label={t('compose.what.path')}
          monospace
          placeholder="/v1/sysctl"
          value={form.api}
          error={errorAt('api')}
          onChange={(api) => change({ api })}
        />
      </div>
      <ParameterRows
        legend={t('compose.what.parameters')}
        hint={t(isQuery ? 'compose.what.parametersQuery' : 'compose.what.parametersBody')}
      />
      {form.port.trim() === String(agentPort) &&
        presets.every(({ api }) => api !== form.api.trim()) &&
        form.api !== '' && <Notice>{t('compose.what.unknownType')}</Notice>}
    </>
  )
}
