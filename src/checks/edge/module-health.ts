import * as z from 'zod';
import { CannotTell, defineCheck, type HostFor, type Reading } from '../../check.ts';
import { within } from '../../deadline.ts';
import type { RuntimeComponent } from '../../host/edge/types.ts';
import { warnsFirst } from '../params/thresholds.ts';
import { countedRestarts } from './counted-restarts.ts';
import { describeExit } from './exit-code.ts';
import {
  downSeconds,
  inWords,
  isMissing,
  type JudgedModule,
  moduleProblems,
  moduleReasons,
  times,
} from './module-problems.ts';
import { observeModules } from './observe-modules.ts';
import { fromSaved, toSaved } from './watched-module.ts';

const count = z.int().min(1).max(100);

const params = z
  .strictObject({
    expected: z
      .array(z.string().regex(/^[\x21-\x7e]{1,128}$/, 'Must be the name of a module'))
      .max(100)
      .default([])
      .describe('Modules that must be there and must run.'),
    restartsWarn: count.default(3).describe('Warns when a module restarted so many times within the window.'),
    restartsFail: count.default(10).describe('Fails when it restarted so many times.'),
    windowMinutes: z.int().min(5).max(1440).default(60).describe('The window, in minutes.'),
  })
  .refine(...warnsFirst('restartsWarn', 'above', 'restartsFail'));

const gauges = {
  module_running: { help: '1 while the module runs.', labels: ['target'] },
  module_restarts_in_window: {
    help: 'Restarts of the module that were seen within the window, without updates and renewals.',
    labels: ['target'],
  },
};
type GaugeName = keyof typeof gauges;

const memoryName = 'moduleHealth';

// Pages only add to the list.
const pageSeconds = 3;

interface Module extends JudgedModule {
  readonly target: string;
}

/** Watches the module list from run to run for modules that restart again and again, stay down or disappear. */
export const moduleHealth = defineCheck({
  id: 'moduleHealth',
  title: 'Every module runs, and none restarts again and again',
  params,
  uses: ['modules', 'runtimeMetrics', 'memory'],
  reasons: moduleReasons,
  gauges,
  needs: () => [{ kind: 'socket', socket: 'workload' }],

  async subjects({ expected, windowMinutes }, host, signal): Promise<readonly Module[]> {
    const [listing, instances] = await Promise.all([host.modules(signal), readInstances(host, signal)]);
    const windowSeconds = windowMinutes * 60;
    const before = fromSaved(host.memory.recall(memoryName));
    const watched = observeModules(before, listing, instances, { expected, windowSeconds });
    host.memory.keep(memoryName, toSaved(watched));

    const restarts = countedRestarts(watched, windowSeconds);
    return [...watched.modules]
      .map(([name, module]) => ({
        target: name,
        name,
        module,
        restarts: restarts.get(name) ?? [],
        uptime: watched.uptime,
        isExpected: expected.includes(name),
      }))
      .filter(({ module, isExpected }) => isExpected || !isMissing(module));
  },

  async examine(judged: Module, limits) {
    const [worst, ...also] = moduleProblems(judged, limits);
    const readings = readingsOf(judged);
    if (worst) return { ...worst, also, readings };
    const { name, module } = judged;
    if (module.version === '') {
      throw new CannotTell(
        'not_found',
        `${name} is expected, but not in the list of modules; one more list decides`,
      );
    }
    if (module.state === 'unknown')
      throw new CannotTell('unreadable', `The runtime does not know the state of ${name}`);
    return { status: 'pass', message: describe(judged), readings };
  },
});

/** The instances of the components of the runtime whose metrics pages can be read. */
async function readInstances(
  host: HostFor<'runtimeMetrics'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const components: readonly RuntimeComponent[] = ['edgeAgent', 'edgeHub'];
  const instances = components.map(async (component) => {
    try {
      const page = await within(pageSeconds, signal, (deadline) => host.runtimeMetrics(component, deadline));
      return page.instance === undefined ? [] : [[component, page.instance] as const];
    } catch {
      signal.throwIfAborted();
      return [];
    }
  });
  return new Map((await Promise.all(instances)).flat());
}

function describe({ name, module, restarts, uptime }: Module): string {
  const again =
    restarts.length > 0 ? `; it restarted at least ${times(restarts.length)} within the window` : '';
  if (module.state === 'running') return `${name} is running${again}`;
  const code = module.exitCode === undefined ? '' : `, with ${describeExit(module.exitCode)}`;
  const state = module.state === 'failed' ? 'failed' : 'stopped';
  return `${name} ${state} ${inWords(downSeconds({ module, uptime }))} ago${code}${again}`;
}

function readingsOf({ module, restarts }: Module): readonly Reading<GaugeName>[] {
  const isThere = !isMissing(module);
  const running: Reading<GaugeName>[] =
    isThere && module.state === 'unknown'
      ? []
      : [{ gauge: 'module_running', value: isThere && module.state === 'running' ? 1 : 0 }];
  return [...running, { gauge: 'module_restarts_in_window', value: restarts.length }];
}
