import fc from 'fast-check';

/** A field of a binary structure that a mutation overwrites as a whole: a number, a length, a count or a pointer. */
export interface Field {
  readonly at: number;
  readonly bytes: number;
}

type Mutation = (bytes: Buffer) => Buffer;

/** Values at the limits of a field, and those next to them. */
const edges = [0, 1, 2, 0x0c, 0x1f, 0x7f, 0x80, 0x81, 0x84, 0xc0, 0xfe, 0xff];

const setField = (fields: readonly Field[]): fc.Arbitrary<Mutation> =>
  fc
    .tuple(
      fc.constantFrom(...fields),
      fc.array(fc.oneof(fc.constantFrom(...edges), fc.nat(255)), { minLength: 4, maxLength: 8 }),
    )
    .map(([{ at, bytes }, values]) => (whole) => {
      const copy = Buffer.from(whole);
      for (let i = 0; i < bytes && at + i < copy.length; i += 1)
        copy[at + i] = values[i % values.length] ?? 0;
      return copy;
    });

const anyBytes = fc.uint8Array({ maxLength: 40 });

/** What happens to bytes of any structure: they are cut off, overwritten, inserted, removed and repeated. */
const anywhere: fc.Arbitrary<Mutation> = fc
  .tuple(fc.nat(9999), fc.nat(60), anyBytes, fc.constantFrom('cut', 'set', 'insert', 'remove', 'repeat'))
  .map(([place, length, bytes, how]) => (whole) => {
    const at = place % (whole.length + 1);
    const [before, part, after] = [
      whole.subarray(0, at),
      whole.subarray(at, at + length),
      whole.subarray(at + length),
    ];
    switch (how) {
      case 'cut':
        return before;
      case 'set':
        return Buffer.concat([before, bytes, whole.subarray(at + bytes.length)]);
      case 'insert':
        return Buffer.concat([before, bytes, whole.subarray(at)]);
      case 'remove':
        return Buffer.concat([before, after]);
      case 'repeat':
        return Buffer.concat([before, part, part, after]);
    }
  });

/** Up to four mutations of a valid structure, most of them of its fields. */
export const mutations = (fields: readonly Field[]): fc.Arbitrary<Mutation> =>
  fc
    .array(fields.length > 0 ? fc.oneof({ weight: 3, arbitrary: setField(fields) }, anywhere) : anywhere, {
      minLength: 1,
      maxLength: 4,
    })
    .map((all) => (whole) => all.reduce((bytes, mutate) => mutate(bytes), whole));

/** A valid structure after some mutations. */
export const mutated = (valid: Buffer, fields: readonly Field[] = []): fc.Arbitrary<Buffer> =>
  mutations(fields).map((mutate) => mutate(valid));

/** Texts with some lines, words and separators in any order. */
export const anyLines = (words: readonly string[], separators: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(
      fc.tuple(
        fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary', maxLength: 8 })),
        fc.constantFrom(...separators),
      ),
      {
        maxLength: 60,
      },
    )
    .map((parts) => parts.flat().join(''));
