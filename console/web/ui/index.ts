export {
  Badge,
  HostStateBadge,
  hostStateBadge,
  OutcomeBadge,
  RunStateBadge,
  type Outcome,
  type Tone,
} from './badge.tsx'
export { Button, LinkButton } from './button.tsx'
export { Card } from './card.tsx'
export { CopyButton } from './copy-button.tsx'
export { ConfirmDialog, Dialog } from './dialog.tsx'
export { Checkbox, Choice, PasswordInput, SearchInput, Select, TextArea, TextInput } from './field.tsx'
export { Grid, type GridColumn, type GridSort } from './grid.tsx'
export { hostState, hostStates, type HostState } from './host-state.ts'
export { KubectlCommand } from './kubectl-command.tsx'
export { Menu } from './menu.tsx'
export { Ago, Moment } from './moment.tsx'
export { Page } from './page.tsx'
export { problemText } from './problem-text.ts'
export { Bar, OutcomeBar } from './progress.tsx'
export { Empty, ErrorPanel, Loading, NoPermission, Notice, ProblemNotice } from './states.tsx'
export { Facts, Table, type TableColumn } from './table.tsx'
export { CellGrid } from './cell-grid.tsx'
export { Tabs } from './tabs.tsx'
export { showToast } from './toasts.tsx'
export { useForm } from './use-form.ts'
export { useTitle } from './use-title.ts'
export { TextLink } from './text-link.tsx'
export { useSearchText } from './use-search-text.ts'
export { TileMatrix, type Tile } from './tile-matrix.tsx'
