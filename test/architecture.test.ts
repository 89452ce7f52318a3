import { describe, expect, test } from 'vitest';
import { type Import, importsOf, type Source, sourcesIn } from './support/imports.ts';

const src = await sourcesIn('src');
const simulator = await sourcesIn('simulator');

/** Small files that any room may use. */
const tools = ['answer.ts', 'deadline.ts', 'endpoint.ts', 'errors.ts', 'read-file.ts', 'node:'];
/** What a check is, and what it may ask of the machine. */
const vocabulary = ['check.ts', 'host.ts', 'deadline.ts', 'endpoint.ts', 'errors.ts'];
/** The rooms of host/, lowest first: each may import those before it. */
const hostRooms = ['agent', 'files', 'edge', 'tls', 'network', 'certificates', 'clock', 'disk'];
const rooms = ['checks/', 'cloud/', 'host/', 'http/', 'hub/', 'policy/', 'run/', 'sinks/', 'state/'];
const everything = [...vocabulary, ...tools, ...rooms, 'config.ts', 'log.ts', 'version.ts'];

/**
 * Who may import what: checks judge, host looks, sinks report, hub carries; only main introduces them.
 *
 * Keys are folders and files below src/, and the longest that fits a file is its rule. A value that ends in '/' stands
 * for a folder, `type` allows types alone, and `#` is the file's own subject. A file may always import its neighbours.
 */
const rules: Readonly<Record<string, readonly string[]>> = {
  'check.ts': ['type host.ts', 'type zod'],
  'host.ts': ['type answer.ts', 'type host/'],
  'checks/': [...vocabulary, 'host/#/types.ts', 'checks/params/', 'zod'],
  'checks/index.ts': ['type check.ts', 'checks/'],
  'checks/params/': [...vocabulary, 'type host/', 'zod', 'ipaddr.js'],
  'host/': ['check.ts', 'type host.ts', ...tools, 'zod', 'picomatch', 'dockerode'],
  'host/index.ts': ['type host.ts', 'endpoint.ts', 'host/', 'type state/'],
  'hub/': [...tools, 'azure-iot-'],
  'policy/': [
    'type check.ts',
    ...tools,
    'type log.ts',
    'type run/',
    'type state/',
    'jsonc-parser',
    'node-cron',
    'zod',
  ],
  'run/': ['check.ts', 'type host.ts', ...tools, 'type policy/', 'node-cron'],
  'sinks/': ['check.ts', 'run/report.ts', 'type run/', 'type policy/', 'prom-client'],
  'sinks/page/': ['type check.ts', 'run/report.ts', 'type run/', 'sinks/escape.ts', 'sinks/symbols.ts'],
  'state/': ['check.ts', 'type host.ts', ...tools, 'type host/', 'type run/', 'zod'],
  // These introduce rooms to each other.
  'cloud/': ['type check.ts', 'type log.ts', 'hub/', 'policy/', 'run/', 'sinks/', 'type state/', 'zod'],
  'http/': ['node:http', 'sinks/', 'type host/', 'type hub/', 'type policy/', 'type run/'],
  'cli/': [...everything, 'commander'],
  'main.ts': everything,
  '': [...tools, 'type host.ts', 'log.ts', 'pino', 'zod'],
};

// A package takes its own subpaths with it: node:fs is node:fs/promises as well.
const fits = (path: string, pattern: string): boolean =>
  path === pattern || path.startsWith(/[/:-]$/.test(pattern) ? pattern : `${pattern}/`);

const below = (path: string): string => path.replace(/^src\//, '');
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

function allowedFor(path: string): readonly string[] {
  const keys = Object.keys(rules).filter((key) => key === '' || fits(path, key));
  const key = keys.toSorted((a, b) => b.length - a.length)[0] ?? '';
  const [room = '', subject = ''] = path.split('/');
  const neighbours = folderOf(path) === '' ? [] : [folderOf(path)];
  const lower = room === 'host' ? hostRooms.slice(0, Math.max(0, hostRooms.indexOf(subject))) : [];
  return [
    ...(rules[key] ?? []).map((rule) => rule.replace('#', subject)),
    ...neighbours,
    ...lower.map((each) => `host/${each}/`),
  ];
}

/** What a source below src/ imports though no rule allows it. */
function violations(source: Source): string[] {
  const allowed = allowedFor(below(source.path));
  const permits = ({ from, typeOnly }: Import) =>
    allowed.some(
      (rule) => fits(below(from), rule.replace(/^type /, '')) && (typeOnly || !rule.startsWith('type ')),
    );
  return importsOf(source)
    .filter((each) => !permits(each))
    .map(({ from, typeOnly }) => `${source.path} imports ${typeOnly ? 'types of ' : ''}${from}`);
}

/** The files that import something, but for those that may. */
const importersOf = (sources: readonly Source[], what: RegExp, ...but: readonly string[]): string[] =>
  sources
    .filter((source) => importsOf(source).some(({ from }) => what.test(from)))
    .map(({ path }) => path)
    .filter((path) => !but.some((each) => fits(path, each)));

describe('who imports whom', () => {
  test.each(src.map((source) => [source.path, source] as const))('%s keeps to its rule', (_, source) => {
    const known =
      source.path === 'src/cli/simulate.ts' ? ['src/cli/simulate.ts imports simulator/index.ts'] : [];
    expect(violations(source)).toEqual(known);
  });

  test('every rule has its files', () => {
    const paths = src.map(({ path }) => below(path));
    expect(
      Object.keys(rules).filter((rule) => !paths.some((path) => rule === '' || fits(path, rule))),
    ).toEqual([]);
    expect(hostRooms.filter((room) => !paths.some((path) => path.startsWith(`host/${room}/`)))).toEqual([]);
  });

  test('nobody imports an entry point', () => {
    expect(importersOf([...src, ...simulator], /^src\/(main|cli\/main)\.ts$/)).toEqual([]);
  });

  test('the command line loads the simulator only when it is asked for', () => {
    expect(importersOf(src, /^simulator\//)).toEqual(['src/cli/simulate.ts']);
    const [simulate] = src.filter(({ path }) => path === 'src/cli/simulate.ts');
    expect(simulate?.text).not.toMatch(/^import .*simulator/m);
  });

  test('the simulator knows nothing of the agent', () => {
    expect(importersOf(simulator, /^src\//)).toEqual([]);
  });
});

describe('how large things are', () => {
  test("no folder has more than a baker's dozen of files", () => {
    const sizes = new Map<string, number>();
    for (const { path } of [...src, ...simulator]) {
      sizes.set(folderOf(path), (sizes.get(folderOf(path)) ?? 0) + 1);
    }
    expect([...sizes].filter(([, size]) => size > 13)).toEqual([]);
  });
});

describe('who touches what', () => {
  test.each([
    [
      'files, sockets and processes',
      /^node:(fs|net|dgram|tls|dns|child_process|worker_threads|cluster)\b/,
      ['src/host/', 'src/read-file.ts', 'src/state/state-file.ts', 'src/policy/keeper.ts', 'src/cli/'],
    ],
    ['processes of its own', /^node:(child_process|cluster)\b/, ['src/host/disk/statfs-child.ts']],
    ['Azure', /^azure-/, ['src/hub/']],
    ['the container engine', /^dockerode/, ['src/host/disk/engine-usage.ts']],
    ['Prometheus', /^prom-client/, ['src/sinks/metrics.ts']],
  ])('only where it belongs: %s', (_, what, but) => {
    expect(importersOf(src, what, ...but)).toEqual([]);
    // Somebody does: the pattern is not out of date.
    expect(importersOf(src, what)).not.toEqual([]);
  });
});

describe('a violation is caught', () => {
  test.each([
    ['src/checks/disk/made-up.ts', "import { readFile } from 'node:fs/promises';"],
    ['src/checks/disk/made-up.ts', "import { createHost } from '../../host/index.ts';"],
    ['src/checks/disk/made-up.ts', "import type { Certificate } from '../../host/certificates/types.ts';"],
    ['src/checks/disk/made-up.ts', "import { inSeconds } from '../clock/format.ts';"],
    ['src/checks/disk/made-up.ts', "import type { Hub } from '../../hub/hub.ts';"],
    ['src/checks/disk/made-up.ts', "export { render } from '../../sinks/page/page.ts';"],
    ['src/checks/disk/made-up.ts', "const os = await import('node:os');"],
    ['src/checks/disk/made-up.ts', "import '../../main.ts';"],
    ['src/checks/disk/made-up.ts', "import {\n  a,\n  b,\n} from '../../run/runner.ts';"],
    ['src/checks/disk/made-up.ts', "import { checks } from '../../checkseverything.ts';"],
    ['src/checks/params/made-up.ts', "import { diskSpace } from '../disk/disk-space.ts';"],
    ['src/host/network/made-up.ts', "import { checks } from '../../checks/index.ts';"],
    ['src/host/network/made-up.ts', "import { Gauge } from 'prom-client';"],
    ['src/host/network/made-up.ts', "import { createSntp } from '../clock/sntp.ts';"],
    ['src/hub/made-up.ts', "import { readPolicy } from '../policy/policy.ts';"],
    ['src/sinks/made-up.ts', "import { confirm } from '../run/confirm.ts';"],
    ['src/sinks/page/made-up.ts', "import { Gauge } from 'prom-client';"],
    ['src/run/made-up.ts', "import { checks } from '../checks/index.ts';"],
    ['src/check.ts', "import { z } from 'zod';"],
    ['src/http/made-up.ts', "import { connect } from 'node:net';"],
    ['src/made-up.ts', "import { checks } from './checks/index.ts';"],
  ])('in %s: %s', (path, text) => {
    expect(violations({ path, text })).toHaveLength(1);
  });

  test.each([
    ['src/checks/disk/made-up.ts', "import { z } from 'zod';\nimport { size } from './format.ts';"],
    ['src/checks/disk/made-up.ts', "import type { Filesystem } from '../../host/disk/types.ts';"],
    ['src/checks/disk/made-up.ts', "// import { rm } from 'node:fs';\n/* import { rm } from 'node:fs'; */"],
    ['src/host/clock/made-up.ts', "import { createResolve } from '../network/resolve.ts';"],
    ['src/sinks/made-up.ts', "import { type Confirmation } from '../run/confirm.ts';"],
    ['src/check.ts', "import type { z } from 'zod';"],
    ['src/hub/made-up.ts', "import { Mqtt } from 'azure-iot-device-mqtt';"],
  ])('and what is allowed is not, in %s: %s', (path, text) => {
    expect(violations({ path, text })).toEqual([]);
  });
});
