import * as z from 'zod';
import { CannotTell, defineCheck } from '../../check.ts';
import { type Component, findComponents } from './components.ts';
import { reasons } from './lifecycle-remedy.ts';
import { lifecycleProblems } from './lifecycle-verdict.ts';
import { supportTable, tableDate } from './support-table.ts';

const dayMs = 86_400_000;
const tableDays = 400;

/** Something with a support life, or the table itself. */
interface Item {
  readonly target: string;
  readonly component?: Component | CannotTell;
}

/** Compares what is installed with a table of when its support ends. */
export const runtimeLifecycle = defineCheck({
  id: 'runtimeLifecycle',
  title: 'IoT Edge, the container engine and the operating system are supported',
  params: z.strictObject({
    warnDays: z.number().min(0).max(3650).default(90).describe('Warns so many days before support ends.'),
    minVersion: z
      .string()
      .regex(/^\d{1,4}\.\d{1,4}$/, 'must be a version such as "1.5"')
      .optional()
      .meta({ description: 'The oldest IoT Edge that is allowed.', examples: ['1.6'] }),
    dates: z
      .record(
        z
          .string()
          .regex(
            /^[a-z][a-z0-9._-]{0,31} \d{1,4}(\.\d{1,4})?$/,
            'must be a product and its version, such as "iotedge 1.7"',
          ),
        z.iso.date(),
      )
      .default({})
      .describe(
        'The last supported day of products, by name and version ("iotedge 1.7"); overrides the table.',
      ),
  }),
  uses: ['modules', 'runtimeMetrics', 'system', 'engine'],
  reasons,
  gauges: {
    runtime_end_of_life_timestamp_seconds: {
      help: 'The last supported day, its start in UTC.',
      labels: ['target'],
    },
  },

  needs: () => [{ kind: 'socket', socket: 'workload' }],

  async subjects(_, host, signal): Promise<readonly Item[]> {
    const found = await findComponents(host, signal);
    return isTableOld(host.now()) ? [...found, { target: 'table' }] : found;
  },

  async examine({ component }: Item, { warnDays, minVersion, dates }, host) {
    const now = host.now();
    if (component === undefined) return oldTable(now);
    if (component instanceof CannotTell) throw component;
    const { name, product, line } = component;
    const key = `${product} ${line}`;
    const end = dates[key] ?? (Object.hasOwn(supportTable, key) ? supportTable[key] : undefined);
    const [worst, ...also] = lifecycleProblems(component, end, { now, warnDays, minVersion });
    const at = Date.parse(end ?? '') / 1000;
    const readings = Number.isFinite(at)
      ? [{ gauge: 'runtime_end_of_life_timestamp_seconds' as const, value: at }]
      : [];
    if (worst) return { ...worst, also, readings };
    const until = end === 'open' ? 'and no end has been announced' : `until ${end}`;
    return { status: 'pass', message: `${name} is supported, ${until}`, readings };
  },
});

const isTableOld = (now: Date): boolean => now.getTime() - Date.parse(tableDate) > tableDays * dayMs;

const oldTable = (now: Date) => ({
  status: 'warn' as const,
  reason: 'table_old' as const,
  message: `The dates of this check were compared with their sources on ${tableDate}, ${Math.floor((now.getTime() - Date.parse(tableDate)) / dayMs)} days ago`,
  remedy:
    'Update this module, or set what has changed in checks.runtimeLifecycle.dates of the policy and except this finding',
});
