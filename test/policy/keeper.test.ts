import { execFileSync } from 'node:child_process';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PolicyInForce } from '../../src/policy/in-force.ts';
import { openPolicyKeeper, readPolicyFile } from '../../src/policy/keeper.ts';
import { openStateFile, type StateFile } from '../../src/state/state-file.ts';
import { fakeCheck } from '../support/fixtures/fake-check.ts';
import { logLines } from '../support/log.ts';
import { tempFolder } from '../support/temp-folder.ts';

const now = () => new Date('2026-11-21T20:30:00Z');

/** A state file that lasts as long as the test. */
function shortLived(values: Record<string, unknown> = {}): StateFile {
  const kept = new Map(Object.entries(values));
  return {
    get: (name) => kept.get(name),
    set: (name, value) => void (value === undefined ? kept.delete(name) : kept.set(name, value)),
    flush: async () => {},
    problem: () => undefined,
  };
}

interface Given {
  readonly file?: string;
  readonly state?: StateFile;
  readonly connected?: boolean;
  readonly check?: Parameters<typeof fakeCheck>[0];
  /** Runs between the first reading of the file and the opening of the keeper. */
  afterRead?(): Promise<void>;
}

async function keeping(given: Given = {}) {
  const changes: PolicyInForce[] = [];
  const { log, messages } = logLines();
  const state = given.state ?? shortLived();
  const file = given.file === undefined ? undefined : await readPolicyFile(given.file);
  await given.afterRead?.();
  const keeper = await openPolicyKeeper({
    checks: [fakeCheck(given.check)],
    file,
    state,
    connected: given.connected ?? true,
    log,
    now,
  });
  keeper.subscribe(() => changes.push(keeper.inForce()));
  onTestFinished(() => keeper.close());
  return { ...keeper, changes, messages, state };
}

async function policyFile(text: string): Promise<string> {
  const file = join(await tempFolder(), 'policy.json');
  await writeFile(file, text);
  return file;
}

const good = { timeoutSeconds: 5 };
const bad = { timeoutSecond: 6 };

describe('the twin', () => {
  test('gives the policy', async () => {
    const { applyDesired, inForce, changes } = await keeping();
    expect(inForce()).toMatchObject({ source: 'default', version: 0 });
    applyDesired({ $version: 7, policy: good });
    expect(inForce()).toMatchObject({ source: 'twin', version: 7, accepted: true, policy: good });
    expect(changes).toEqual([inForce()]);
  });

  test.each([{}, { policy: bad }, { $version: '7' }, { $version: null, policy: good }])(
    'without a version changes nothing: %j',
    async (desired) => {
      const { applyDesired, inForce, changes, state } = await keeping();
      applyDesired({ $version: 7, policy: good });
      changes.length = 0;
      applyDesired(desired);
      expect(inForce()).toMatchObject({ version: 7, accepted: true, policy: good });
      expect(changes).toEqual([]);
      expect(state.get('policy')).toEqual({ version: 7, document: good });
    },
  );

  test('with a bad policy leaves the last good one in force and reports it', async () => {
    const { applyDesired, inForce, changes, messages } = await keeping();
    applyDesired({ $version: 7, policy: good });
    applyDesired({ $version: 8, policy: bad });
    expect(inForce()).toMatchObject({ source: 'twin', version: 8, accepted: false, policy: good });
    expect(changes).toHaveLength(2);
    expect(messages().at(-1)).toBe('Policy refused, the earlier one stays in force');
  });

  test.each([null, [], 'text', 5])('with the policy %j has a bad one, not none', async (policy) => {
    const { applyDesired, inForce } = await keeping();
    applyDesired({ $version: 7, policy: good });
    applyDesired({ $version: 8, policy });
    expect(inForce()).toMatchObject({ accepted: false, policy: good });
  });

  test('that is read again, unchanged, makes no news', async () => {
    const { applyDesired, changes } = await keeping();
    for (const policy of [good, good, bad, bad]) applyDesired({ $version: policy === good ? 7 : 8, policy });
    expect(changes.map(({ version }) => version)).toEqual([7, 8]);
  });

  test('whose policy is removed returns to the defaults permanently', async () => {
    const { applyDesired, inForce, state } = await keeping();
    applyDesired({ $version: 7, policy: good });
    applyDesired({ $version: 8 });
    expect(inForce()).toMatchObject({ source: 'default', accepted: true, policy: { timeoutSeconds: 20 } });
    expect((await keeping({ state })).inForce().source).toBe('default');
  });

  test('whose policy is removed hands over to the file, if there is one', async () => {
    const { applyDesired, inForce } = await keeping({ file: await policyFile('{ "timeoutSeconds": 9 }') });
    applyDesired({ $version: 7, policy: good });
    applyDesired({ $version: 8 });
    expect(inForce()).toMatchObject({ source: 'file', policy: { timeoutSeconds: 9 } });
  });
});

describe('what the twin contains beside the policy', () => {
  const ignored = (text: string) => [`Unknown desired properties are ignored: ${text}`];

  test.each<[string, object, string[]]>([
    ['polcy', { polcy: good }, ignored('polcy, did you mean policy?')],
    ['two', { policy: good, tags: 1, colour: 'red' }, ignored('tags colour')],
    ['nothing', { policy: good, $metadata: {} }, []],
    [
      'more than are listed',
      { policy: good, a1: 1, a2: 1, a3: 1, a4: 1, a5: 1, a6: 1, a7: 1 },
      ignored('a1 a2 a3 a4 a5 2 more'),
    ],
    ['a key that is no name', { policy: good, 'a \u202e': 1 }, ignored('["a \\u{202e}"]')],
  ])('is a warning that names it: %s', async (_, desired, warnings) => {
    const { applyDesired, inForce, messages } = await keeping();
    applyDesired({ $version: 7, ...desired });
    expect(inForce()).toMatchObject({ accepted: true, warnings });
    expect(messages()).toEqual(expect.arrayContaining(warnings));
  });

  test('is named for a refused policy too, and no longer once it is gone', async () => {
    const { applyDesired, inForce } = await keeping();
    applyDesired({ $version: 7, policy: bad, polcy: good });
    expect(inForce()).toMatchObject({ accepted: false, warnings: ignored('polcy, did you mean policy?') });
    applyDesired({ $version: 8, policy: good });
    expect(inForce()).toMatchObject({ accepted: true, warnings: [] });
  });
});

test('a policy that is nested 3,000 levels deep is refused like any other', async () => {
  const { applyDesired, inForce } = await keeping();
  const policy: unknown = JSON.parse(`${'{"checks":'.repeat(3000)}{}${'}'.repeat(3000)}`);
  applyDesired({ $version: 7, policy });
  expect(inForce().problems).toEqual(['checks.checks is nested more than 32 levels deep']);
});

describe('a schedule that is faster than checks that use the network run', () => {
  const rule = 'Checks that use the network run at most every 30 s, whatever the schedule: fake';
  const check: Given['check'] = { needs: () => [{ kind: 'network', what: 'x' }] };
  const fast = { schedule: '* * * * * *' };
  const warnings = (messages: readonly unknown[]) =>
    messages.filter((each) => String(each).startsWith('Checks'));

  test('is logged once while its file vanishes and returns', async () => {
    const file = await policyFile(JSON.stringify(fast));
    const { reread, inForce, messages } = await keeping({ file, check });
    expect(warnings(messages())).toEqual([rule]);
    for (const _ of [1, 2]) {
      await rename(file, `${file}.away`);
      await reread();
      await rename(`${file}.away`, file);
      await reread();
    }
    expect(inForce()).toMatchObject({ fileProblem: undefined, warnings: [rule] });
    expect(warnings(messages())).toEqual([rule]);
  });

  test('is logged once for versions of the twin that change nothing, and refused ones between them', async () => {
    const { applyDesired, messages } = await keeping({ check });
    applyDesired({ $version: 7, policy: fast });
    applyDesired({ $version: 8, policy: fast });
    applyDesired({ $version: 9, policy: bad });
    applyDesired({ $version: 10, policy: fast });
    expect(warnings(messages())).toEqual([rule]);
  });

  test('is logged again for another policy', async () => {
    const { applyDesired, messages } = await keeping({ check });
    applyDesired({ $version: 7, policy: fast });
    applyDesired({ $version: 8, policy: { ...fast, ...good } });
    applyDesired({ $version: 9, policy: good });
    applyDesired({ $version: 10, policy: fast });
    expect(warnings(messages())).toEqual([rule, rule, rule]);
  });
});

describe('over a restart', () => {
  test('the last good policy of the twin is in force at once', async () => {
    const state = shortLived();
    const first = await keeping({ state });
    first.applyDesired({ $version: 7, policy: good });
    first.applyDesired({ $version: 8, policy: bad });
    const { inForce } = await keeping({ state });
    expect(inForce()).toMatchObject({ source: 'saved', version: 7, accepted: true, policy: good });
  });

  test('it survives in the state folder', async () => {
    const folder = await tempFolder();
    const state = await openStateFile(folder);
    (await keeping({ state })).applyDesired({ $version: 7, policy: good });
    await state.flush();
    const { inForce } = await keeping({ state: await openStateFile(folder) });
    expect(inForce()).toMatchObject({ source: 'saved', version: 7, policy: good });
  });

  test('an unchanged twin makes it the twin’s again, without a new policy', async () => {
    const state = shortLived({ policy: { version: 7, document: good } });
    const { applyDesired, inForce } = await keeping({ state });
    const before = inForce().policy;
    applyDesired({ $version: 7, policy: good });
    expect(inForce()).toMatchObject({ source: 'twin', version: 7 });
    expect(inForce().policy).toBe(before);
  });

  test('it goes before the policy file', async () => {
    const state = shortLived({ policy: { version: 7, document: good } });
    const { inForce } = await keeping({ state, file: await policyFile('{ "timeoutSeconds": 9 }') });
    expect(inForce().source).toBe('saved');
  });

  test('it is not used without a hub', async () => {
    const state = shortLived({ policy: { version: 7, document: good } });
    expect((await keeping({ state, connected: false })).inForce().source).toBe('default');
  });

  test.each([
    ['a text', 'garbage'],
    ['null', null],
    ['no version', { document: good }],
    ['a version that is none', { version: 'seven', document: good }],
    ['a policy that this version refuses', { version: 7, document: bad }],
    ['no policy', { version: 7 }],
  ])('a saved policy that is %s is not used', async (_, policy) => {
    const { inForce } = await keeping({ state: shortLived({ policy }) });
    expect(inForce()).toMatchObject({ source: 'default', version: 0, accepted: true });
  });
});

describe('the policy file', () => {
  test('may hold comments', async () => {
    const { inForce } = await keeping({ file: await policyFile('{ "timeoutSeconds": 9 } // slow line') });
    expect(inForce()).toMatchObject({
      source: 'file',
      version: 0,
      accepted: true,
      policy: { timeoutSeconds: 9 },
    });
  });

  test('that cannot be read stops the start', async () => {
    const file = join(await tempFolder(), 'absent.json');
    await expect(keeping({ file })).rejects.toThrow('no such file or directory');
  });

  test('that is a FIFO stops the start, and later only logs a warning', async () => {
    const file = join(await tempFolder(), 'policy.json');
    execFileSync('mkfifo', [file]);
    await expect(keeping({ file })).rejects.toThrow('it is not a regular file');

    const replaced = await policyFile('{ "timeoutSeconds": 9 }');
    const { reread, inForce, messages } = await keeping({ file: replaced });
    await rename(file, replaced);
    await reread();
    expect(inForce()).toMatchObject({ source: 'file', accepted: true, policy: { timeoutSeconds: 9 } });
    expect(messages().at(-1)).toBe('The last good policy stays in force');
    expect(inForce().fileProblem).toBe(
      `Could not read the policy file ${replaced}: it is not a regular file`,
    );
  });

  test('that is no JSON is named', async () => {
    const file = await policyFile('{ half');
    const { inForce } = await keeping({ file });
    expect(inForce().problems).toEqual([expect.stringContaining(`${file}: not JSON: line 1`)]);
  });

  test.each(['{ "timeoutSecond": 9 }', '{ half', ''])(
    'with a bad policy leaves the defaults: %j',
    async (text) => {
      const { inForce } = await keeping({ file: await policyFile(text) });
      expect(inForce()).toMatchObject({ source: 'default', accepted: false, policy: { timeoutSeconds: 20 } });
      expect(inForce().problems).toHaveLength(1);
    },
  );

  test('is read again; a bad one, half a one or none leaves the last good one', async () => {
    const file = await policyFile('{ "timeoutSeconds": 9 }');
    const { reread, inForce, changes } = await keeping({ file });

    await writeFile(file, '{ "timeoutSeconds": 10 }');
    await reread();
    expect(inForce()).toMatchObject({ accepted: true, policy: { timeoutSeconds: 10 } });

    for (const text of ['{ "timeoutSeconds": "x" }', '{ "timeout']) {
      await writeFile(file, text);
      await reread();
      expect(inForce()).toMatchObject({ source: 'file', accepted: false, policy: { timeoutSeconds: 10 } });
    }

    await rm(file);
    await reread();
    expect(inForce()).toMatchObject({
      policy: { timeoutSeconds: 10 },
      fileProblem: expect.stringContaining(
        `Could not read the policy file ${file}: no such file or directory`,
      ),
    });

    await writeFile(file, '{ "timeoutSeconds": 11 }');
    await reread();
    expect(inForce()).toMatchObject({
      accepted: true,
      problems: [],
      fileProblem: undefined,
      policy: { timeoutSeconds: 11 },
    });
    // Once the file is gone, its refused text is no longer what is wrong.
    expect(changes.map(({ accepted }) => accepted)).toEqual([true, false, false, true, true]);
  });

  test('that vanishes leaves its policy in force and reports that once, until it is back', async () => {
    const file = await policyFile('{ "timeoutSeconds": 9 }');
    const { reread, inForce, changes, messages } = await keeping({ file });
    const { policy } = inForce();
    await rename(file, `${file}.away`);
    for (const _ of [1, 2]) await reread();
    expect(inForce()).toMatchObject({
      source: 'file',
      accepted: true,
      fileProblem: expect.stringMatching(
        /^Could not read the policy file .*policy\.json: no such file or directory/,
      ),
    });
    await rename(`${file}.away`, file);
    await reread();
    expect(inForce().fileProblem).toBeUndefined();
    expect(inForce().policy).toBe(policy);
    expect(changes).toHaveLength(2);
    expect(messages().slice(-3)).toEqual([
      'The last good policy stays in force',
      'The last good policy stays in force',
      'Policy in force',
    ]);
  });

  test('that vanishes under a policy of the twin is reported once its turn comes', async () => {
    const file = await policyFile('{ "timeoutSeconds": 9 }');
    const { reread, applyDesired, inForce } = await keeping({ file });
    applyDesired({ $version: 7, policy: good });
    await rm(file);
    await reread();
    expect(inForce().fileProblem).toBeUndefined();
    applyDesired({ $version: 8 });
    expect(inForce()).toMatchObject({
      source: 'file',
      fileProblem: expect.stringContaining('no such file or directory'),
    });
  });

  test('that is UTF-16 is refused by name', async () => {
    const file = await policyFile('');
    await writeFile(file, Buffer.from('\ufeff{}', 'utf16le'));
    const { inForce } = await keeping({ file });
    expect(inForce()).toMatchObject({
      accepted: false,
      problems: [`${file}: the text is UTF-16; save it as UTF-8`],
    });
  });

  test('that was replaced since it was read is read again', async () => {
    const file = await policyFile('{ "timeoutSeconds": 9 }');
    const { inForce } = await keeping({
      file,
      afterRead: () => writeFile(file, '{ "timeoutSeconds": 10 }'),
    });
    expect(inForce()).toMatchObject({ source: 'file', policy: { timeoutSeconds: 10 } });
  });

  test('that has vanished since it was read leaves its policy in force', async () => {
    const file = await policyFile('{ "timeoutSeconds": 9 }');
    const { inForce } = await keeping({ file, afterRead: () => rm(file) });
    expect(inForce()).toMatchObject({
      source: 'file',
      policy: { timeoutSeconds: 9 },
      fileProblem: expect.stringContaining('no such file or directory'),
    });
  });

  test('is followed when another takes its place, as a mounted one is replaced', async () => {
    const file = await policyFile('{ "timeoutSeconds": 9 }');
    const { inForce } = await keeping({ file });
    await writeFile(`${file}.new`, '{ "timeoutSeconds": 10, "note": "new" }');
    await rename(`${file}.new`, file);
    await expect.poll(() => inForce().policy.timeoutSeconds, { timeout: 10_000 }).toBe(10);
  });

  test('that changes under a policy of the twin waits for its turn', async () => {
    const file = await policyFile('{ "timeoutSeconds": 9 }');
    const { reread, applyDesired, inForce, changes } = await keeping({ file });
    applyDesired({ $version: 7, policy: good });
    await writeFile(file, '{ "timeoutSeconds": 10 }');
    await reread();
    expect(inForce()).toMatchObject({ source: 'twin', policy: good });
    expect(changes).toHaveLength(1);
    applyDesired({ $version: 8 });
    expect(inForce()).toMatchObject({ source: 'file', policy: { timeoutSeconds: 10 } });
  });
});
