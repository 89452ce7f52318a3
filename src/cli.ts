import { readFile, writeFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import { createAgent } from './agent.ts';
import { checks } from './checks/index.ts';
import { type Config, readConfig } from './config.ts';
import { never, within } from './deadline.ts';
import { describeError } from './errors.ts';
import { createHistory } from './host/history.ts';
import type { Host, Need } from './host.ts';
import { hostFor } from './host-for.ts';
import { parseJsonc } from './jsonc.ts';
import { type Memory, readMemory } from './memory.ts';
import { nearest } from './nearest.ts';
import { readPolicy } from './policy.ts';
import { policyExample, policyJsonSchema } from './policy-example.ts';
import { defaultPolicy, type PolicyInForce } from './policy-in-force.ts';
import { savedPolicy } from './policy-keeper.ts';
import { historyName } from './remembered.ts';
import type { Report } from './report.ts';
import { schedule } from './schedule.ts';
import { renderJunit } from './sinks/junit.ts';
import { renderTable } from './sinks/table.ts';
import { version } from './version.ts';

const print = (text: string) => void process.stdout.write(text);

// A path that hangs costs its own line.
const accessSeconds = 5;

/** What was asked for makes no sense: one line, exit code 2. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

const program = new Command('eflow-hardening')
  .description(
    "Watches an IoT Edge device's clock, certificates, disk and outbound network. Changes nothing.",
  )
  .version(version)
  .exitOverride()
  .configureOutput({ writeErr: (text) => void process.stderr.write(text) });

program
  .command('check')
  .description('run the checks once; exits with 1 for any fail, 2 for an unknown and no fail, else 0')
  .argument('[id...]', 'only these checks')
  .option(
    '--policy <file>',
    'the policy to judge by (default: HARDENING_POLICY_FILE, the saved one, the built-in one)',
  )
  .option('--json', 'print the report as JSON')
  .option('--junit <file>', 'write the report as JUnit XML as well')
  .option('--verbose', 'tell passing findings, reasons and readings too')
  .option('--warnings-as-errors', 'exit with 1 for a warn as well')
  .action(async (ids: string[], options: CheckOptions) => {
    process.exitCode = await check(ids, options);
  });

program
  .command('list')
  .description('every check, what access it needs, and whether this machine gives it')
  .option('--policy <file>', 'the policy whose needs are told')
  .action(async ({ policy }: { policy?: string }) => print(await list(policy)));

const policyCommand = program.command('policy').description('look at policies');
policyCommand
  .command('validate')
  .description('say what is wrong with a policy file; exits with 1 when there is something')
  .argument('<file>')
  .action(async (file: string) => {
    const problems = await problemsOf(file);
    if (problems.length === 0) return print(`${file}: a valid policy\n`);
    for (const problem of problems) process.stderr.write(`${file}: ${problem}\n`);
    process.exitCode = 1;
  });
policyCommand
  .command('schema')
  .description('print the JSON Schema of policies')
  .action(() => print(`${JSON.stringify(policyJsonSchema(checks), undefined, 2)}\n`));
policyCommand
  .command('example')
  .description('print a commented policy to start from')
  .action(() => print(policyExample(checks)));

program
  .command('simulate')
  .description('run a local IoT Edge for a module under development, until Ctrl-C')
  .option('--port <port>', 'MQTT over TLS', '18883')
  .option('--admin-port <port>', 'admin HTTP on 127.0.0.1', '9601')
  .option('--metrics-port <port>', "edgeAgent's and edgeHub's metrics on 127.0.0.1", '9602')
  .action(simulate);

interface CheckOptions {
  readonly policy?: string;
  readonly json?: boolean;
  readonly junit?: string;
  readonly verbose?: boolean;
  readonly warningsAsErrors?: boolean;
}

async function check(ids: readonly string[], options: CheckOptions): Promise<number> {
  for (const id of ids) {
    const known = checks.map((each) => each.id);
    if (known.includes(id)) continue;
    const guess = nearest(id, known);
    throw new UsageError(
      `There is no check ${id}${guess ? `, did you mean ${guess}?` : ''}; there is ${known.join(', ')}`,
    );
  }
  const config = readConfig(process.env);
  const { memory, host } = await machine(config);
  const agent = createAgent({
    checks,
    host,
    policy: await policyFor(config, memory, options.policy, host.now()),
    identity: { version, startedAt: host.now().toISOString(), mode: config.mode },
    remembered: {},
    schedule,
    hubState: () => 'none',
    sinks: [],
  });
  const report = await agent.runChecks(ids.length > 0 ? ids : undefined);
  const { json = false, verbose = false, junit } = options;
  print(
    json
      ? `${JSON.stringify(report, undefined, 2)}\n`
      : renderTable(report, { colour: process.stdout.isTTY && !process.env.NO_COLOR, verbose }),
  );
  if (junit !== undefined) {
    await writeFile(junit, renderJunit(report, options.warningsAsErrors)).catch((cause: unknown) => {
      throw new Error(`Could not write ${junit}`, { cause });
    });
  }
  return exitCode(report, options.warningsAsErrors ?? false);
}

function exitCode({ summary }: Report, warningsAsErrors: boolean): number {
  if (summary.fail > 0 || (warningsAsErrors && summary.warn > 0)) return 1;
  return summary.unknown > 0 ? 2 : 0;
}

async function list(policyFile: string | undefined): Promise<string> {
  const config = readConfig(process.env);
  const { memory, host } = await machine(config);
  const { policy } = await policyFor(config, memory, policyFile, host.now());
  const sections = checks.map(async (each) => {
    const needs = each.needs(policy.checks[each.id]);
    const lines = needs.map(async (need) => `    ${await access(need, host)}\n`);
    const told = (await Promise.all(lines)).join('') || '    needs no access\n';
    return `${each.id}\n    ${each.title}\n${told}`;
  });
  return (await Promise.all(sections)).join('');
}

async function access(need: Need, host: Host): Promise<string> {
  // Whether the network lets something through is found out by the check itself.
  if (need.kind === 'network') return `needs the network: ${need.what}`;
  const given = within(accessSeconds, never, (signal) => host.gives(need.path, signal));
  const answer = await given.then(
    (is) => (is ? 'given' : 'not given'),
    (error: unknown) => describeError(error),
  );
  return `needs to read ${need.path}: ${answer}`;
}

/** This machine, with what the agent that runs on it remembers. */
async function machine(config: Config): Promise<{ memory: Pick<Memory, 'get'>; host: Host }> {
  const memory = await readMemory(config.stateDir);
  const history = createHistory({ now: () => new Date(), saved: memory.get(historyName) });
  return { memory, host: hostFor(config, { memoryProblem: memory.problem, clockEvents: () => [], history }) };
}

/** The policy for one run: the file asked for, the environment's, the one saved from the twin, or the built-in one. */
async function policyFor(
  config: Config,
  memory: Pick<Memory, 'get'>,
  file: string | undefined,
  now: Date,
): Promise<PolicyInForce> {
  const defaults = defaultPolicy(checks, now);
  const path = file ?? config.policyFile;
  const saved = path === undefined ? savedPolicy(memory) : undefined;
  const document = path === undefined ? saved?.document : await readDocument(path);
  if (document === undefined) return defaults;
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) {
    throw new UsageError(
      `${path ?? 'The saved policy'} is not a valid policy: ${outcome.problems.join('; ')}`,
    );
  }
  const source = path === undefined ? 'saved' : 'file';
  return { ...defaults, source, version: saved?.version ?? 0, document, policy: outcome.policy };
}

async function problemsOf(file: string): Promise<readonly string[]> {
  try {
    const outcome = readPolicy(await readDocument(file), checks);
    return outcome.accepted ? [] : outcome.problems;
  } catch (error) {
    // A file that is no JSON is a bad policy; one that is not there is a bad argument.
    if (error instanceof Error && error.cause instanceof SyntaxError) return [error.cause.message];
    throw error;
  }
}

async function readDocument(file: string): Promise<unknown> {
  try {
    // A pipe will do as well: whoever waits at a terminal may give one.
    return parseJsonc(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new UsageError(`Could not read the policy ${file}`, { cause });
  }
}

async function simulate(options: { port: string; adminPort: string; metricsPort: string }): Promise<void> {
  const { startSimulator } = await import('../simulator/index.ts').catch((cause: unknown) => {
    throw new UsageError('The simulator is not here: the image leaves it out', { cause });
  });
  const simulator = await startSimulator({
    hubPort: portFrom('--port', options.port),
    adminPort: portFrom('--admin-port', options.adminPort),
    metricsPort: portFrom('--metrics-port', options.metricsPort),
    log: (line) => void process.stderr.write(`${line}\n`),
  });
  for (const [name, value] of Object.entries(simulator.environment)) print(`export ${name}='${value}'\n`);
  print(`# Twin, methods, messages and faults: ${simulator.adminUrl}\n`);
  print(`# Metrics: ${simulator.edgeAgentMetricsUrl} ${simulator.edgeHubMetricsUrl}\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await simulator.close();
}

function portFrom(option: string, value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port <= 65_535) return port;
  throw new UsageError(`${option} is "${value}", allowed is a port from 0 to 65535`);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong. Help and version end here too, well.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`eflow-hardening: ${describeError(error)}\n`);
    process.exitCode = 2;
  }
}
// Whatever is still open, an engine that is slow to answer for instance, holds nobody up; what was printed is waited for.
process.stdout.write('', () => process.exit());
