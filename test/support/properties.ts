import fc from 'fast-check';

// Fixed, so that a failure can be reproduced.
const seed = 20_261_121;

/** Checks a property with `numRuns` examples, or as many as fit into 15 s on a slow machine. */
export function checkProperty<T extends [unknown, ...unknown[]]>(
  property: fc.IProperty<T>,
  numRuns: number,
): void {
  console.log(`fast-check seed ${seed}, ${numRuns} runs`);
  fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: 15_000 });
}

/** The same for a property that waits, such as one that needs a server. */
export async function checkAsyncProperty<T extends [unknown, ...unknown[]]>(
  property: fc.IAsyncProperty<T>,
  numRuns: number,
): Promise<void> {
  console.log(`fast-check seed ${seed}, ${numRuns} runs`);
  // An example that hangs fails; it would otherwise count as an interruption.
  await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: 15_000, timeout: 10_000 });
}

/** Text that a path, a subject's name or a policy may contain. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('__proto__', 'toString', '$a.b #c', '\u0000\u001f', '\ud800', '"quoted" C:\\', ''),
  // Long text of characters that take one to four bytes in UTF-8, or six when JSON escapes them.
  fc
    .tuple(fc.constantFrom('x', '\u20ac', '\u{1F4BE}', '\u0000', '\ud800', '"'), fc.nat(5000))
    .map(([character, count]) => character.repeat(count)),
);

export const anyKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '__proto__', 'toString', 'constructor'),
  anyText,
);

/** A JSON object with few possible keys, so that two objects have some in common. */
export const anyDocument = (leaf: fc.Arbitrary<unknown>) =>
  fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
    object: fc
      .array(fc.tuple(anyKey, tie('value')), { maxLength: 5 })
      // Like JSON.parse, which makes __proto__ an ordinary key.
      .map((entries) => Object.fromEntries(entries)),
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      tie('object'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  })).object;
