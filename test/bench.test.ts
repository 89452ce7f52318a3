import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { budgets } from '../bench/budgets.ts';
import { isComplete } from '../bench/programs/response.ts';
import { bundled, run } from './support/programs/bundle.ts';
import { have } from './support/programs/installed.ts';
import { tempFolder } from './support/temp-folder.ts';

const spread = z.object({ min: z.number(), median: z.number(), max: z.number() });
const result = z.object({
  repetitions: z.literal(1),
  missing: z.array(z.string()),
  rows: z.array(
    z.object({
      what: z.string(),
      agent: spread,
      beside: spread.extend({ name: z.string() }).optional(),
      ratio: z.number().positive().optional(),
      budget: z.union([z.object({ agent: z.number() }), z.object({ ratio: z.number() })]).optional(),
    }),
  ),
});

/** Its own growth, which no other program has, and what is too rare in a short time. */
const withoutRatio = ['its growth in a run', 'wake-ups in an idle minute'];

async function bench(path: string) {
  const folder = await tempFolder();
  const { ended, out, err } = run([process.execPath, bundled('bench'), '--quick', '--json'], {
    PATH: path,
    TMPDIR: folder,
  });
  expect(await ended, err()).toBe(0);
  expect(await readdir(folder)).toEqual([]);
  return result.parse(JSON.parse(out()));
}

const programs = ['prometheus-node-exporter', 'prometheus-blackbox-exporter', 'openssl'] as const;

describe.skipIf(!have(...programs))(`npm run bench (apt-get install ${programs.join(' ')})`, () => {
  test('compares the agent with another program in every row', async () => {
    const { missing, rows } = await bench(process.env.PATH ?? '');
    expect(missing).toEqual([]);
    expect(rows.length).toBeGreaterThan(10);
    const shown = rows.flatMap(({ budget }) => Object.values(budget ?? {}));
    expect(new Set(shown)).toEqual(new Set(Object.values(budgets.bench)));
    for (const { what, beside, ratio } of rows.filter(({ what }) => !withoutRatio.includes(what))) {
      expect(beside, what).toBeDefined();
      expect(ratio, what).toBeDefined();
    }
  }, 60_000);
});

test('the bench lists programs that are not installed and measures only the agent', async () => {
  const { missing, rows } = await bench(await tempFolder());
  expect(missing).toEqual(programs);
  // What is left is the agent beside itself, with fewer subjects.
  const names = rows.flatMap(({ beside }) => beside?.name ?? []);
  expect(names.filter((name) => !/^(one of|with) 2$/.test(name))).toEqual([]);
  expect(rows.length).toBeGreaterThan(10);
}, 60_000);

describe('the scrape client finds the end of a response', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';
  test.each([
    ['with a length', `${head}content-length: 5\r\n\r\nab\r\nc`],
    ['without a body', `${head}Content-Length: 0\r\n\r\n`],
    ['in chunks', `${head}Transfer-Encoding: chunked\r\n\r\n3\r\na\r\n\r\nA\r\n0\r\n\r\n12345\r\n0\r\n\r\n`],
  ])('%s', (_, response) => {
    const bytes = Buffer.from(response);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(isComplete(bytes.subarray(0, length)), `${length} bytes`).toBe(false);
    }
    expect(isComplete(bytes)).toBe(true);
  });

  test('but not of one that ends with its connection', () => {
    expect(() => isComplete(Buffer.from(`${head}\r\nxyz\r\n`))).toThrow('neither Content-Length nor chunks');
  });
});
