import { describe, expect, test } from 'vitest';
import { type Import, importsOf, type Source, sourcesIn } from './support/imports.ts';

const src = await sourcesIn('src');
const simulator = await sourcesIn('simulator');

/** Small files that any folder may use. */
const tools = [
  'answer.ts',
  'deadline.ts',
  'endpoint.ts',
  'errors.ts',
  'nearest.ts',
  'read-file.ts',
  'shell-quote.ts',
  'node:',
];
/** The types of checks and of the host, and what these need. */
const vocabulary = ['check.ts', 'host.ts', 'deadline.ts', 'endpoint.ts', 'errors.ts', 'shell-quote.ts'];
/** The folders of host/, lowest first: each may import those before it. */
const hostFolders = [
  'agent',
  'files',
  'edge',
  'engine',
  'identity',
  'ssh',
  'tls',
  'network',
  'certificates',
  'clock',
  'disk',
  'system',
  'tpm',
];
const folders = ['checks/', 'cloud/', 'host/', 'http/', 'hub/', 'policy/', 'run/', 'sinks/', 'state/'];
const everything = [...vocabulary, ...tools, ...folders, 'config.ts', 'log.ts', 'version.ts'];

/**
 * Who may import what: checks evaluate, host reads the machine, sinks render, hub transports; main connects them.
 *
 * Keys are folders and files below src/; the longest key that matches a file is its rule. A value that ends in '/' is a
 * folder, `type` allows only types, and `#` is the file's own subject. Files in the same folder may import each other.
 */
const rules: Readonly<Record<string, readonly string[]>> = {
  'check.ts': ['type host.ts', 'type zod'],
  'host.ts': ['type answer.ts', 'type host/'],
  'checks/': [...vocabulary, 'host/#/types.ts', 'checks/params/', 'zod'],
  'checks/index.ts': ['type check.ts', 'checks/'],
  'checks/params/': [...vocabulary, 'type host/', 'zod', 'ipaddr.js'],
  'host/': ['check.ts', 'type host.ts', ...tools, 'zod', 'smol-toml'],
  'host/tpm/': ['check.ts', 'type host.ts', ...tools, 'tss.js'],
  'host/index.ts': ['type host.ts', 'endpoint.ts', 'host/'],
  'hub/': [...tools, 'hub/'],
  'hub/mqtt/': [...tools, 'hub/', 'azure-iot-', 'mqtt-packet'],
  'policy/': ['check.ts', ...tools, 'type log.ts', 'type state/', 'zod'],
  'run/': ['check.ts', 'type host.ts', 'type host/', ...tools, 'type policy/', 'policy/cron.ts'],
  'sinks/': ['check.ts', 'run/report.ts', 'type run/', 'type policy/', 'prom-client'],
  'sinks/page/': [
    'type check.ts',
    'run/report.ts',
    'type run/',
    'sinks/escape.ts',
    'sinks/reading-format.ts',
    'sinks/symbols.ts',
  ],
  'state/': ['check.ts', 'type host.ts', ...tools, 'type host/', 'type run/', 'zod'],
  // These connect other folders.
  'cloud/': [
    'type check.ts',
    'deadline.ts',
    'type host/',
    'type log.ts',
    'hub/',
    'policy/',
    'run/',
    'sinks/',
    'type state/',
    'zod',
  ],
  'http/': ['node:http', 'node:util', 'node:zlib', 'endpoint.ts', 'sinks/', 'type run/'],
  'cli/': [...everything, 'commander'],
  'main.ts': everything,
  '': [...tools, 'type host.ts', 'log.ts', 'pino', 'zod'],
};

// A package includes its subpaths: node:fs matches node:fs/promises.
const matches = (path: string, pattern: string): boolean =>
  path === pattern || path.startsWith(/[/:-]$/.test(pattern) ? pattern : `${pattern}/`);

const withoutSrc = (path: string): string => path.replace(/^src\//, '');
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

function allowedFor(path: string): readonly string[] {
  const keys = Object.keys(rules).filter((key) => key === '' || matches(path, key));
  const key = keys.toSorted((a, b) => b.length - a.length)[0] ?? '';
  const [folder = '', subject = ''] = path.split('/');
  const neighbours = folderOf(path) === '' ? [] : [folderOf(path)];
  const lower = folder === 'host' ? hostFolders.slice(0, Math.max(0, hostFolders.indexOf(subject))) : [];
  return [
    ...(rules[key] ?? []).map((rule) => rule.replace('#', subject)),
    ...neighbours,
    ...lower.map((each) => `host/${each}/`),
  ];
}

/** The imports of a source below src/ that no rule allows. */
function violations(source: Source): string[] {
  const allowed = allowedFor(withoutSrc(source.path));
  const permits = ({ from, typeOnly }: Import) =>
    allowed.some(
      (rule) =>
        matches(withoutSrc(from), rule.replace(/^type /, '')) && (typeOnly || !rule.startsWith('type ')),
    );
  return importsOf(source)
    .filter((each) => !permits(each))
    .map(({ from, typeOnly }) => `${source.path} imports ${typeOnly ? 'types of ' : ''}${from}`);
}

/** The files that import `what`, except those that may. */
const importersOf = (sources: readonly Source[], what: RegExp, ...allowed: readonly string[]): string[] =>
  sources
    .filter((source) => importsOf(source).some(({ from }) => what.test(from)))
    .map(({ path }) => path)
    .filter((path) => !allowed.some((each) => matches(path, each)));

describe('import rules', () => {
  test.each(src.map((source) => [source.path, source] as const))('%s follows its rule', (_, source) => {
    const known =
      source.path === 'src/cli/simulate.ts' ? ['src/cli/simulate.ts imports simulator/index.ts'] : [];
    expect(violations(source)).toEqual(known);
  });

  test('every rule matches a file', () => {
    const paths = src.map(({ path }) => withoutSrc(path));
    expect(
      Object.keys(rules).filter((rule) => !paths.some((path) => rule === '' || matches(path, rule))),
    ).toEqual([]);
    expect(hostFolders.filter((folder) => !paths.some((path) => path.startsWith(`host/${folder}/`)))).toEqual(
      [],
    );
  });

  test('no file imports an entry point', () => {
    expect(importersOf([...src, ...simulator], /^src\/(main|cli\/main)\.ts$/)).toEqual([]);
  });

  test('the CLI loads the simulator only for the simulate command', () => {
    expect(importersOf(src, /^simulator\//)).toEqual(['src/cli/simulate.ts']);
    const [simulate] = src.filter(({ path }) => path === 'src/cli/simulate.ts');
    expect(simulate?.text).not.toMatch(/^import .*simulator/m);
  });

  test('the simulator does not import the agent', () => {
    expect(importersOf(simulator, /^src\//)).toEqual([]);
  });
});

describe('size limits', () => {
  test('no folder has more than 13 files', () => {
    const sizes = new Map<string, number>();
    for (const { path } of [...src, ...simulator]) {
      sizes.set(folderOf(path), (sizes.get(folderOf(path)) ?? 0) + 1);
    }
    expect([...sizes].filter(([, size]) => size > 13)).toEqual([]);
  });
});

describe('restricted packages', () => {
  test.each([
    [
      'files, sockets and processes',
      /^node:(fs|net|dgram|tls|dns|child_process|worker_threads|cluster)\b/,
      ['src/host/', 'src/read-file.ts', 'src/state/state-file.ts', 'src/policy/keeper.ts', 'src/cli/'],
    ],
    [
      'child processes',
      /^node:(child_process|cluster)\b/,
      ['src/host/disk/statfs-child.ts', 'src/host/tpm/tpm-child.ts'],
    ],
    ['Azure', /^(azure-|mqtt-packet)/, ['src/hub/mqtt/']],
    ['the TPM library', /^(tss\.js|azure-iot-security)/, ['src/host/tpm/ask.ts']],
    ['Prometheus', /^prom-client/, ['src/sinks/metrics.ts']],
  ])('only the listed files import %s', (_, what, allowed) => {
    expect(importersOf(src, what, ...allowed)).toEqual([]);
    // Proves that the pattern still matches an import.
    expect(importersOf(src, what)).not.toEqual([]);
  });
});

describe('violations', () => {
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
    ['src/hub/made-up.ts', "import { Mqtt } from 'azure-iot-device-mqtt';"],
    ['src/hub/made-up.ts', "import { readPolicy } from '../policy/policy.ts';"],
    ['src/sinks/made-up.ts', "import { confirm } from '../run/confirm.ts';"],
    ['src/sinks/page/made-up.ts', "import { Gauge } from 'prom-client';"],
    ['src/run/made-up.ts', "import { checks } from '../checks/index.ts';"],
    ['src/check.ts', "import { z } from 'zod';"],
    ['src/http/made-up.ts', "import { connect } from 'node:net';"],
    ['src/made-up.ts', "import { checks } from './checks/index.ts';"],
  ])('%s must not contain %j', (path, text) => {
    expect(violations({ path, text })).toHaveLength(1);
  });

  test.each([
    ['src/checks/disk/made-up.ts', "import { z } from 'zod';\nimport { size } from './format.ts';"],
    ['src/checks/disk/made-up.ts', "import type { Filesystem } from '../../host/disk/types.ts';"],
    ['src/checks/disk/made-up.ts', "// import { rm } from 'node:fs';\n/* import { rm } from 'node:fs'; */"],
    ['src/host/clock/made-up.ts', "import { createResolve } from '../network/resolve.ts';"],
    ['src/sinks/made-up.ts', "import { type Confirmation } from '../run/confirm.ts';"],
    ['src/check.ts', "import type { z } from 'zod';"],
    ['src/hub/mqtt/made-up.ts', "import { Mqtt } from 'azure-iot-device-mqtt';"],
  ])('%s may contain %j', (path, text) => {
    expect(violations({ path, text })).toEqual([]);
  });
});
