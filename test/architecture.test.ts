import { describe, expect, test } from 'vitest';
import { type Import, importsOf, type Source, sourcesIn } from './support/imports.ts';

const src = await sourcesIn('src');
const simulator = await sourcesIn('simulator');

/**
 * Who may import what: checks judge, host looks, sinks tell, hub carries; only main introduces them. Paths are below
 * src/; one that ends in '/' or '-' stands for all that begin with it. `type` allows types alone. The longest path
 * that fits a file is its rule. A new file of the core needs a line here: say what it is allowed to know.
 */
const rules: Readonly<Record<string, readonly string[]>> = {
  'check.ts': ['type host.ts', 'type zod'],
  'host.ts': [],
  'checks/': ['check.ts', 'host.ts', 'deadline.ts', 'checks/', 'zod'],
  'host/': [
    'check.ts',
    'host.ts',
    'deadline.ts',
    'read-file.ts',
    'host/',
    'node:',
    'picomatch',
    'dockerode',
    'zod',
  ],
  'hub/': ['deadline.ts', 'hub/', 'node:', 'azure-iot-'],

  // What the renderers share stands beside them; none of them imports another.
  'sinks/': ['check.ts', 'report.ts', 'type confirm.ts', 'type policy-in-force.ts', ...sinkHelpers()],
  'sinks/metrics.ts': ['check.ts', 'type report.ts', 'prom-client', ...sinkHelpers()],
  'sinks/escape.ts': [],
  'sinks/symbols.ts': ['type check.ts'],
  'sinks/page-style.ts': [],

  'agent.ts': [
    'type check.ts',
    'type host.ts',
    'type policy.ts',
    'type policy-in-force.ts',
    'report.ts',
    'type schedule.ts',
    'watch.ts',
  ],
  'config.ts': ['type host.ts', 'log.ts', 'zod'],
  'confirm.ts': ['type check.ts', 'type runner.ts'],
  'deadline.ts': ['node:events'],
  'cron.ts': ['node-cron'],
  'errors.ts': [],
  'exceptions.ts': ['type policy.ts', 'type runner.ts'],
  'http.ts': ['node:http'],
  'jsonc.ts': [],
  'log.ts': ['errors.ts', 'pino'],
  'memory.ts': ['type host.ts', 'errors.ts', 'read-file.ts', 'node:fs/promises', 'node:path', 'zod'],
  'nearest.ts': [],
  'policy.ts': ['type check.ts', 'cron.ts', 'nearest.ts', 'zod'],
  'policy-example.ts': ['type check.ts', 'policy.ts', 'zod'],
  'policy-in-force.ts': ['type check.ts', 'policy.ts', 'type report.ts'],
  'read-file.ts': ['node:fs'],
  'remembered.ts': ['check.ts', 'type memory.ts', 'type report.ts', 'type watch.ts', 'zod'],
  'report.ts': ['check.ts', 'type confirm.ts'],
  'runner.ts': ['check.ts', 'type host.ts', 'deadline.ts', 'errors.ts'],
  'schedule.ts': ['node-cron'],
  'version.ts': [],
  'watch.ts': [
    'type check.ts',
    'type host.ts',
    'confirm.ts',
    'exceptions.ts',
    'type policy.ts',
    'report.ts',
    'runner.ts',
  ],

  // Wiring: each introduces a few to each other, and only main and the command line know everybody.
  'cloud.ts': wiring(
    'agent.ts',
    'type memory.ts',
    'zod',
    'hub/',
    'sinks/alerts.ts',
    'methods.ts',
    'policy-keeper.ts',
    'reporter.ts',
  ),
  'host-for.ts': wiring('config.ts', 'type host.ts', 'host/index.ts'),
  'methods.ts': wiring('agent.ts', 'policy.ts', 'report.ts', 'zod'),
  'policy-keeper.ts': wiring('jsonc.ts', 'memory.ts', 'policy-in-force.ts', 'read-file.ts', 'node:fs', 'zod'),
  'reporter.ts': wiring('policy-in-force.ts', 'report.ts', 'sinks/reported.ts'),
  'routes.ts': wiring('agent.ts', 'http.ts', 'hub/', 'policy-keeper.ts', 'sinks/', 'type host/'),
  'main.ts': everythingBut('cli.ts'),
  'cli.ts': [...everythingBut('main.ts'), 'commander'],
};

function sinkHelpers(): string[] {
  return ['sinks/escape.ts', 'sinks/symbols.ts', 'sinks/page-style.ts'];
}

function wiring(...known: readonly string[]): string[] {
  return ['type check.ts', 'errors.ts', 'log.ts', ...known];
}

function everythingBut(...never: readonly string[]): string[] {
  return src
    .map(({ path }) => path.slice('src/'.length))
    .filter((path) => !never.includes(path))
    .concat('node:');
}

// A package takes its own subpaths with it: node:fs is node:fs/promises as well.
const fits = (path: string, pattern: string): boolean =>
  path === pattern || (/[/:-]$/.test(pattern) ? path.startsWith(pattern) : path.startsWith(`${pattern}/`));

function ruleFor(path: string): readonly string[] | undefined {
  const [longest] = Object.keys(rules)
    .filter((pattern) => fits(path, pattern))
    .toSorted((a, b) => b.length - a.length);
  return longest === undefined ? undefined : rules[longest];
}

/** What a source below src/ imports though no rule allows it. */
function violations(source: Source): string[] {
  const allowed = ruleFor(below(source.path));
  if (!allowed) return [`${source.path} has no rule`];
  const permits = ({ from, typeOnly }: Import) =>
    allowed.some((rule) =>
      rule.startsWith('type ') ? typeOnly && fits(below(from), rule.slice(5)) : fits(below(from), rule),
    );
  return importsOf(source)
    .filter((each) => !permits(each))
    .map(({ from, typeOnly }) => `${source.path} imports ${typeOnly ? 'types of ' : ''}${from}`);
}

const below = (path: string): string => path.replace(/^src\//, '');

/** The files that import something, but for those that may. */
const importersOf = (sources: readonly Source[], what: RegExp, ...but: readonly string[]): string[] =>
  sources
    .filter((source) => importsOf(source).some(({ from }) => what.test(from)))
    .map(({ path }) => path)
    .filter((path) => !but.some((each) => fits(path, each)));

describe('who imports whom', () => {
  test.each(src.map((source) => [source.path, source] as const))('%s keeps to its rule', (path, source) => {
    // The simulator is for developers: the command line loads it when it is asked for.
    const known = path === 'src/cli.ts' ? ['src/cli.ts imports simulator/index.ts'] : [];
    expect(violations(source)).toEqual(known);
  });

  test('every rule has its file', () => {
    const unused = Object.keys(rules).filter((rule) => !src.some(({ path }) => fits(below(path), rule)));
    expect(unused).toEqual([]);
  });

  test('the command line loads the simulator only when it is asked for', () => {
    const [cli] = src.filter(({ path }) => path === 'src/cli.ts');
    expect(cli?.text).not.toMatch(/^import .*simulator/m);
  });

  test('the simulator knows nothing of the agent', () => {
    expect(importersOf(simulator, /^src\//)).toEqual([]);
  });
});

describe('who touches what', () => {
  test.each([
    [
      'files, sockets and processes',
      /^node:(fs|net|dgram|tls|dns|child_process|worker_threads|cluster)\b/,
      ['src/host/', 'src/read-file.ts', 'src/memory.ts', 'src/policy-keeper.ts', 'src/cli.ts'],
    ],
    ['processes of its own', /^node:(child_process|cluster)\b/, ['src/host/statfs-child.ts']],
    ['Azure', /^azure-/, ['src/hub/']],
    ['the container engine', /^dockerode/, ['src/host/']],
    ['Prometheus', /^prom-client/, ['src/sinks/metrics.ts']],
  ])('only where it belongs: %s', (_, what, but) => {
    expect(importersOf(src, what, ...but)).toEqual([]);
    // Somebody does: the pattern is not out of date.
    expect(importersOf(src, what)).not.toEqual([]);
  });
});

describe('a violation is caught', () => {
  test.each([
    ['src/checks/made-up.ts', "import { readFile } from 'node:fs/promises';"],
    ['src/checks/made-up.ts', "import { createHost } from '../host/index.ts';"],
    ['src/checks/made-up.ts', "import type { Hub } from '../hub/hub.ts';"],
    ['src/checks/made-up.ts', "export { render } from '../sinks/page.ts';"],
    ['src/checks/made-up.ts', "const os = await import('node:os');"],
    ['src/checks/made-up.ts', "import '../main.ts';"],
    ['src/checks/made-up.ts', "import {\n  a,\n  b,\n} from '../runner.ts';"],
    ['src/checks/made-up.ts', "import { checks } from '../checkseverything.ts';"],
    ['src/host/made-up.ts', "import { checks } from '../checks/index.ts';"],
    ['src/host/made-up.ts', "import { Gauge } from 'prom-client';"],
    ['src/hub/made-up.ts', "import { readPolicy } from '../policy.ts';"],
    ['src/sinks/made-up.ts', "import { renderPage } from './page.ts';"],
    ['src/sinks/made-up.ts', "import { confirm } from '../confirm.ts';"],
    ['src/sinks/made-up.ts', "import { type Told, confirm } from '../confirm.ts';"],
    ['src/sinks/page.ts', "import { Gauge } from 'prom-client';"],
    ['src/agent.ts', "import { checks } from './checks/index.ts';"],
    ['src/agent.ts', "import { schedule } from './schedule.ts';"],
    ['src/check.ts', "import { z } from 'zod';"],
    ['src/http.ts', "import { connect } from 'node:net';"],
    ['src/routes.ts', "import { x } from './main.ts';"],
    ['src/cli.ts', "import { x } from './main.ts';"],
    ['src/made-up.ts', ''],
  ])('in %s: %s', (path, text) => {
    expect(violations({ path, text })).toHaveLength(1);
  });

  test.each([
    ['src/checks/made-up.ts', "import { z } from 'zod';\nimport { names } from './names.ts';"],
    ['src/checks/made-up.ts', "// import { rm } from 'node:fs';\n/* import { rm } from 'node:fs'; */"],
    ['src/sinks/made-up.ts', "import type { Told } from '../confirm.ts';"],
    ['src/sinks/made-up.ts', "import { type Told } from '../confirm.ts';"],
    ['src/check.ts', "import type { z } from 'zod';"],
    ['src/hub/made-up.ts', "import { Mqtt } from 'azure-iot-device-mqtt';"],
  ])('and what is allowed is not, in %s: %s', (path, text) => {
    expect(violations({ path, text })).toEqual([]);
  });
});
