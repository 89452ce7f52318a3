import { Command, CommanderError } from 'commander';
import { codeOf, describeError } from '../errors.ts';
import { version } from '../version.ts';
import { type CheckOptions, check } from './check.ts';
import { list } from './list.ts';
import { policyExampleText, policySchemaText, validatePolicy } from './policy.ts';
import { nameOf } from './policy-file.ts';
import { simulate } from './simulate.ts';

let outputError: unknown;
process.stdout.on('error', (error) => {
  // `| head` has read enough, which is no failure.
  if (codeOf(error) !== 'EPIPE') outputError ??= error;
});
process.stderr.on('error', () => {});

const complain = (error: unknown) => {
  process.stderr.write(`eflow-hardening: ${describeError(error)}\n`);
  process.exitCode = 2;
};

const print = (text: string) => void process.stdout.write(text);

const program = new Command('eflow-hardening')
  .description("Checks an IoT Edge device's clock, certificates, disk and outbound network. Changes nothing.")
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
  .option('--junit <file>', 'write the report as JUnit XML as well; - prints it in place of the table')
  .option('--verbose', 'print passing findings, reasons and readings too')
  .option('--warnings-as-errors', 'exit with 1 for a warn as well')
  .action(async (ids: string[], options: CheckOptions) => {
    process.exitCode = await check(ids, options, print);
  });

program
  .command('list')
  .description('list every check, the access it needs, and whether this machine grants it')
  .option('--policy <file>', 'the policy whose needs are listed')
  .action(async ({ policy }: { policy?: string }) => print(await list(policy)));

const policyCommand = program.command('policy').description('work with policies');
policyCommand
  .command('validate')
  .description('print what is wrong with a policy file; exits with 1 for an invalid one')
  .argument('<file>', 'the policy file; - is standard input')
  .action(async (file: string) => {
    const outcome = await validatePolicy(file);
    const name = nameOf(file);
    const lines = outcome.accepted ? outcome.warnings.map((each) => `warning: ${each}`) : outcome.problems;
    for (const line of lines) process.stderr.write(`${name}: ${line}\n`);
    if (outcome.accepted) return print(`${name}: a valid policy\n`);
    process.exitCode = 1;
  });
policyCommand
  .command('schema')
  .description('print the JSON Schema of policies')
  .action(() => print(policySchemaText()));
policyCommand
  .command('example')
  .description('print a commented policy to start from')
  .option('--json', 'without comments: the value of the desired property policy')
  .action(({ json = false }: { json?: boolean }) => print(policyExampleText(json)));

program
  .command('simulate')
  .description('run a local IoT Edge for a module under development, until Ctrl-C')
  .option('--port <port>', 'MQTT over TLS', '18883')
  .option('--admin-port <port>', 'admin HTTP on 127.0.0.1', '9601')
  .option('--metrics-port <port>', "edgeAgent's and edgeHub's metrics on 127.0.0.1", '9602')
  .action((options) => simulate(options, print));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed what is wrong. Help and version end here too, with 0.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else complain(error);
}
/** Resolves once everything printed so far was written, or has failed. A failed write calls back before its error is emitted. */
const flush = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => stream.write('', () => setImmediate(resolve)));

await flush(process.stdout);
if (outputError) complain(new Error('Could not write to standard output', { cause: outputError }));
await flush(process.stderr);
// Whatever is still open, such as a slow engine, must not delay the exit.
process.exit();
