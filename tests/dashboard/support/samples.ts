/** Models of every section, as friendly and as hostile as what they are made of may be. */
import type {
  AccessModel,
  ActivityModel,
  ApprovalModel,
  CallDetailModel,
  CallModel,
  FileDiffModel,
  FileHistoryModel,
  HistoryModel,
  ProcessesModel,
  ProcessModel,
  ProcessOutputModel,
  RestorePreviewModel,
  StatusModel,
} from '../../../src/dashboard/models.ts';
import {
  accessView,
  activityRows,
  activityView,
  approvalsView,
  callView,
  fileHistoryView,
  historyView,
  type Locale,
  processesView,
  processOutputView,
  processView,
  restorePreviewView,
  statusView,
} from '../../../src/dashboard/views/index.ts';

export interface Samples {
  readonly status: StatusModel;
  readonly activity: ActivityModel;
  readonly call: CallDetailModel;
  readonly history: HistoryModel;
  readonly file: Pick<FileHistoryModel, 'path' | 'against' | 'diff'>;
  readonly restore: RestorePreviewModel;
  readonly approvals: readonly ApprovalModel[];
  readonly processes: ProcessesModel;
  readonly output: ProcessOutputModel;
  readonly access: AccessModel;
}

const AT = '2026-03-04T05:06:07.000Z';
const LATER = '2026-03-04T05:16:07.000Z';

/** @param evil stands wherever a client, a model, a file or a program decides what is written */
export function samples(evil: string): Samples {
  const call: CallModel = {
    id: `c${evil}`,
    at: AT,
    tool: `run_command${evil}`,
    target: `npm test ${evil}`,
    client: `client ${evil}`,
    outcome: 'failed',
    code: `CODE${evil}`,
    durationMs: 1234,
    resultBytes: 4567,
  };
  const diff: FileDiffModel = {
    path: `src/${evil}.ts`,
    kind: 'diff',
    states: [{ type: 'link', target: `note ${evil}` }, { type: 'none' }],
    hiddenLines: 3,
    hunks: [
      {
        oldStart: 1,
        newStart: 1,
        lines: [
          { kind: 'context', text: `const one = 1; // ${evil}` },
          { kind: 'removed', text: `const two = '${evil}';` },
          { kind: 'added', text: `const two = "${evil}" + 22;` },
          { kind: 'added', text: evil },
        ],
      },
    ],
  };
  const checkpoint = {
    id: `k${evil}`,
    at: AT,
    tool: `edit_file${evil}`,
    files: [
      { path: `a${evil}`, change: 'changed' },
      { path: 'b', change: evil },
    ],
    fileCount: 12,
    restores: `r${evil}`,
  };
  const process: ProcessModel = {
    id: `p${evil}`,
    name: `dev ${evil}`,
    command: `npm run dev ${evil}`,
    folder: `/home/${evil}`,
    shell: `main${evil}`,
    state: 'running',
    exitCode: null,
    signal: null,
    startedAt: AT,
    durationMs: 65_000,
    outputBytes: 12_345,
    ports: [5173],
    readsInput: true,
  };
  const history: HistoryModel = {
    checkpoints: [checkpoint],
    next: `n${evil}`,
    usedBytes: 1_200_000,
    budgetBytes: 500_000_000,
    canRedo: true,
  };
  return {
    status: {
      version: '0.1.0',
      roots: [`/home/me/${evil}`],
      access: 'workspace',
      approve: 'destructive',
      address: 'http://127.0.0.1:3000/mcp',
      uptimeSeconds: 3723,
      tunnel: { name: evil, state: 'up', message: evil, address: `https://x.example/${evil}` },
      connector: {
        name: 'local-coder',
        description: `Files of ${evil}`,
        server: { kind: 'url', value: `https://x.example/mcp${evil}`.slice(0, 1000) },
        authentication: 'oauth',
      },
      clients: [{ name: evil, calls: 1234, lastSeenAt: AT }],
      requests: {
        perMinute: 3,
        history: Array.from({ length: 30 }, (_, minute) => (minute * 7) % 13),
        total: 0,
        lastCallAt: AT,
      },
      runningCalls: 1,
      runningProcesses: 2,
      waitingApprovals: 1,
    },
    activity: {
      calls: [
        call,
        { ...call, id: 'c2', outcome: 'running', durationMs: undefined, code: undefined },
        { ...call, id: 'c3', outcome: 'ok', code: undefined, client: undefined },
      ],
      next: `n${evil}`,
    },
    call: {
      ...call,
      kept: true,
      arguments: { text: `{"command": "${evil}"}`, hiddenCharacters: 5 },
      result: { text: `\u001b[31mred ${evil}\u001b[0m\n${evil}`, hiddenCharacters: 0 },
      checkpointId: `k${evil}`,
      diffs: [
        diff,
        {
          path: evil,
          kind: 'binary',
          states: [{ type: 'link', target: evil }, { type: 'folder' }],
          hunks: [],
          hiddenLines: 0,
        },
      ],
      processId: `p${evil}`,
    },
    history,
    file: { path: `a${evil}`, against: `k${evil}`, diff },
    restore: {
      checkpoint,
      steps: [
        { path: `a${evil}`, action: 'restore', later: [`k2${evil}`] },
        { path: 'b', action: 'conflict', later: [] },
      ],
      conflictCount: 1,
      hiddenCount: 1,
      moreSteps: 3,
      diffs: [diff],
    },
    approvals: [
      {
        diffs: [diff],
        id: `a${evil}`,
        tool: `run_command${evil}`,
        subject: `rm -rf build\n${evil}`,
        client: evil,
        folder: `/home/${evil}`,
        access: evil,
        askedAt: AT,
        expiresAt: LATER,
        prefix: `rm -rf ${evil}`,
      },
    ],
    processes: {
      processes: [process, { ...process, id: 'p2', state: 'exited', exitCode: 1, signal: evil }],
      shells: [{ name: evil, kind: evil, folder: evil, runningCommands: 2 }],
    },
    output: {
      process,
      stdout: `out ${evil}\n`,
      stderr: `err ${evil}\n`,
      cursor: `10${evil}`,
      truncated: true,
      remainingBytes: 10,
    },
    access: {
      auth: 'oauth',
      grants: [
        {
          id: `g${evil}`,
          client: evil,
          host: evil,
          access: evil,
          createdAt: AT,
          usedAt: AT,
          expiresAt: LATER,
        },
      ],
      waiting: [
        {
          reference: `w${evil}`,
          number: '42',
          code: 'ABCD-EFGH',
          client: evil,
          host: evil,
          expiresAt: LATER,
        },
      ],
      hasSecretUrl: true,
    },
  };
}

/** The same server before anything has happened. */
export function emptySamples(): Pick<
  Samples,
  'status' | 'activity' | 'history' | 'approvals' | 'processes' | 'access'
> {
  return {
    status: {
      version: '0.1.0',
      roots: ['/home/me/project'],
      access: 'full',
      approve: 'never',
      address: 'http://127.0.0.1:3000/mcp',
      uptimeSeconds: 12,
      tunnel: undefined,
      connector: undefined,
      clients: [],
      requests: { perMinute: 0, history: new Array(30).fill(0), total: 0, lastCallAt: undefined },
      runningCalls: 0,
      runningProcesses: 0,
      waitingApprovals: 0,
    },
    activity: { calls: [], next: undefined },
    history: { checkpoints: [], next: undefined, usedBytes: 0, budgetBytes: 500_000_000, canRedo: false },
    approvals: [],
    processes: { processes: [], shells: [] },
    access: { auth: undefined, grants: [], waiting: [], hasSecretUrl: false },
  };
}

/** Every view of the samples, drawn. */
export async function drawAll(of: Samples, locale: Locale): Promise<Record<string, string>> {
  const views = {
    status: statusView(of.status, locale),
    activity: activityView(of.activity, { limit: 100, search: of.status.roots[0], tool: 'x' }, locale),
    rows: activityRows(of.activity.calls, locale),
    call: callView(of.call, locale),
    runningCall: callView({ ...of.call, outcome: 'running', kept: false }, locale),
    history: historyView(of.history, locale),
    file: fileHistoryView(of.call.target, { ...of.history, ...of.file }, locale),
    restore: restorePreviewView(of.restore, locale),
    approvals: approvalsView(of.approvals, locale),
    processes: processesView(of.processes, locale),
    process: processView(of.output, locale),
    output: processOutputView(of.output, locale),
    access: accessView(of.access, locale),
  };
  const drawn: Record<string, string> = {};
  for (const [name, view] of Object.entries(views)) drawn[name] = String(await view);
  return drawn;
}
