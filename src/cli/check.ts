import { writeFile } from 'node:fs/promises';
import { checks } from '../checks/index.ts';
import { readConfig } from '../config.ts';
import { didYouMean } from '../nearest.ts';
import { createAgent } from '../run/agent.ts';
import type { Report } from '../run/report.ts';
import { schedule } from '../run/schedule.ts';
import { renderJunit } from '../sinks/junit.ts';
import { renderTable } from '../sinks/table.ts';
import { version } from '../version.ts';
import { openMachine } from './machine.ts';

export interface CheckOptions {
  readonly policy?: string;
  readonly json?: boolean;
  readonly junit?: string;
  readonly verbose?: boolean;
  readonly warningsAsErrors?: boolean;
}

/** `check`: one run of some checks, or of all. Returns the exit code. */
export async function check(
  ids: readonly string[],
  { policy, json = false, junit, verbose = false, warningsAsErrors = false }: CheckOptions,
  print: (text: string) => void,
): Promise<number> {
  for (const id of ids) requireKnown(id);
  requireUsable(junit, json);
  const config = readConfig(process.env);
  for (const warning of config.warnings) process.stderr.write(`eflow-hardening: ${warning}\n`);
  const { host, inForce, policyFile } = await openMachine(config, policy);
  const agent = createAgent({
    checks,
    host,
    policy: () => inForce,
    identity: { version, startedAt: host.now().toISOString(), mode: config.mode },
    remembered: {},
    schedule,
    hub: () => ({ hub: 'none' }),
  });
  const report = await agent.runChecks(ids.length > 0 ? ids : undefined);
  const xml = () => renderJunit(report, warningsAsErrors);
  if (json) print(`${JSON.stringify(report, undefined, 2)}\n`);
  else if (junit === '-') print(xml());
  else print(renderTable(report, { ...terminal(process.stdout, process.env), verbose, policyFile }));
  if (junit !== undefined && junit !== '-') {
    await writeFile(junit, xml()).catch((cause: unknown) => {
      throw new Error(`Could not write ${junit}`, { cause });
    });
  }
  return exitCode(report, warningsAsErrors);
}

/** The width of the terminal, and whether it shows colours: https://no-color.org, https://force-color.org. */
function terminal(
  { isTTY = false, columns }: Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>>,
  { NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv,
) {
  const forced = FORCE_COLOR ? FORCE_COLOR !== '0' : undefined;
  return { colour: forced ?? (isTTY && !NO_COLOR && TERM !== 'dumb'), width: isTTY ? columns : undefined };
}

function requireKnown(id: string): void {
  const known = checks.map((each) => each.id);
  if (known.includes(id)) return;
  throw new Error(`Unknown check ${id || '""'}${didYouMean(id, known)} (known: ${known.join(', ')})`);
}

function requireUsable(junit: string | undefined, json: boolean): void {
  if (junit === '') throw new Error('--junit must be a file, or - for standard output, got ""');
  if (junit === '-' && json)
    throw new Error(
      '--json and --junit - cannot be combined: both write to standard output; give --junit a file',
    );
}

function exitCode({ summary }: Report, warningsAsErrors: boolean): number {
  if (summary.fail > 0 || (warningsAsErrors && summary.warn > 0)) return 1;
  return summary.unknown > 0 ? 2 : 0;
}
