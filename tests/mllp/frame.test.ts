import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FaultError } from '../../engine/faults.ts';
import { createDeframer, frame } from '../../engine/mllp/frame.ts';
import type { DeframerOptions } from '../../engine/mllp/frame.ts';
import type { Arrival } from '../../engine/mllp/mllp.ts';
import { inShort, wire } from './wire.ts';

const marks = ['MSH', 'FHS', 'BHS'];

/** What a deframer makes of chunks, and of the end after them. */
function deframed(chunks: Buffer[], options: Partial<DeframerOptions> = {}): Arrival[] {
  const arrivals: Arrival[] = [];
  const deframer = createDeframer({ maxBytes: 1 << 20, mode: 'lenient', marks, ...options }, (a) =>
    arrivals.push(a),
  );
  for (const chunk of chunks) deframer.push(chunk);
  deframer.end();
  return arrivals;
}

/** The same, in short, of one chunk in the notation of `wire`. */
function short(text: string, options: Partial<DeframerOptions> = {}): string[] {
  return deframed([wire(text)], options).map(inShort);
}

function cut(bytes: Buffer, places: number[]): Buffer[] {
  const at = [...new Set(places.map((p) => p % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(at[i - 1] ?? 0, end));
}

/** Arrivals with their bytes copied, for comparison. */
function plain(arrivals: Arrival[]): unknown[] {
  return arrivals.map((a) =>
    a.kind === 'message'
      ? { ...a, payload: a.payload.toString('hex') }
      : { ...a, bytes: a.bytes.toString('hex') },
  );
}

const places = fc.array(fc.nat(), { maxLength: 30 });

describe('mllp frame', () => {
  it('gives every payload exactly, whatever it holds and however the bytes are cut', () => {
    const payload = fc
      .oneof(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.array(fc.constantFrom(0x0b, 0x1c, 0x0d, 0x0a, 0x4d, 0x53, 0x48), { minLength: 1 }),
      )
      .map((bytes) => Buffer.from(bytes))
      // What no framing can carry: an end of frame, and a start of frame with a message behind it.
      .filter((bytes) => !/\x1c[\r\x0b]|\x0b(MSH|FHS|BHS)/.test(bytes.toString('latin1')));
    const between = fc.constantFrom('', '\n', '\r\n', '\r', '\r\n\r\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(payload, between)), places, (frames, cuts) => {
        const bytes = Buffer.concat(frames.flatMap(([p, gap]) => [frame(p), Buffer.from(gap)]));
        assert.deepEqual(
          plain(deframed(cut(bytes, cuts))),
          frames.map(([p]) => ({ kind: 'message', payload: p.toString('hex'), warnings: [] })),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('makes the same of any bytes, however they are cut', () => {
    const noise = fc
      .array(fc.constantFrom('\x0b', '\x0b', '\x1c', '\x1c\r', '\r', '\n', 'M', 'MSH', 'BHS', 'ab'))
      .map((parts) => Buffer.from(parts.join(''), 'latin1'));
    const limits = fc.record({
      mode: fc.constantFrom('lenient' as const, 'strict' as const),
      maxBytes: fc.constantFrom(3, 12, 10_000),
      keepBytes: fc.constantFrom(2, 8, 10_000),
    });
    fc.assert(
      fc.property(noise, places, limits, (bytes, cuts, options) => {
        assert.deepEqual(
          plain(deframed(cut(bytes, cuts), options)),
          plain(deframed([bytes], options)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('never loses a byte without a report, and never invents one', () => {
    const noise = fc
      .array(fc.constantFrom('\x0b', '\x1c', '\x1c\r', '\r', 'MSH', 'a'))
      .map((parts) => Buffer.from(parts.join(''), 'latin1'));
    const letters = (bytes: Buffer) => bytes.toString('latin1').replace(/[\x0b\x1c\r]/g, '');
    fc.assert(
      fc.property(noise, fc.constantFrom('lenient' as const, 'strict' as const), (bytes, mode) => {
        const kept = deframed([bytes], { mode }).map((a) =>
          letters(a.kind === 'message' ? a.payload : a.bytes),
        );
        assert.equal(kept.join(''), letters(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('tells a message cut short from noise that held a VT', () => {
    assert.deepEqual(short('<MSH|1<MSH|2>'), ['frameCutShort(MSH|1)', 'MSH|2']);
    assert.deepEqual(short('<\xef\xbb\xbfMSH|1<MSH|2>'), [
      'frameCutShort(\xef\xbb\xbfMSH|1)',
      'MSH|2',
    ]);
    assert.deepEqual(short('xx<yy^zz<MSH|2>'), [
      'frameGarbage(xx)',
      'frameGarbage(yy^zz)',
      'MSH|2',
    ]);
    assert.deepEqual(short('<<MSH|2>'), ['frameEmpty()', 'MSH|2']);
  });

  it('keeps broken bytes up to its cap and counts the rest', () => {
    const options = { maxBytes: 100, keepBytes: 4 };
    assert.deepEqual(short('garbage<MSH|2>', options), ['frameGarbage(garb+3)', 'MSH|2']);
    assert.deepEqual(short('<MSH|12345<MSH|2>', options), ['frameCutShort(MSH|+5)', 'MSH|2']);
    assert.deepEqual(short(`<${'x'.repeat(200)}>`, options), ['frameTooLong(xxxx+97)']);
    assert.deepEqual(short(`<${'x'.repeat(100)}>`, options), ['x'.repeat(100)]);
    assert.deepEqual(short('x'.repeat(200), options), ['frameNoStart(xxxx+97)']);
  });

  it('takes nothing more after a limit was broken', () => {
    assert.deepEqual(short('<MSH|1><123456><MSH|2>', { maxBytes: 5 }), [
      'MSH|1',
      'frameTooLong(12345+1)',
    ]);
  });

  it('names what it waits for', () => {
    const deframer = createDeframer({ maxBytes: 100, mode: 'lenient' }, () => {});
    const states = ['\r', '<a', '^', '\r', 'x', '<'].map((text) => {
      deframer.push(wire(text));
      return deframer.state();
    });
    deframer.end();
    assert.deepEqual(
      [...states, deframer.state()],
      ['between', 'inFrame', 'afterEnd', 'between', 'skipping', 'inFrame', 'closed'],
    );
  });

  it('refuses to frame a payload whose beginning would pass for the whole', () => {
    for (const payload of ['a\x1c\rb', 'a\x1c\x0bb', '\x1c\r']) {
      assert.throws(() => frame(Buffer.from(payload, 'latin1')), FaultError);
    }
    assert.deepEqual(frame(Buffer.from('a\x1c')), wire('<a^>'));
  });

  it('row 22: frames of any size take time in proportion to their bytes', () => {
    const perByte = (size: number, chunk: number): number => {
      // The worst case for a reader that looks twice: VT and FS that decide nothing, everywhere.
      const payload = Buffer.alloc(size, 'abc_MS^x'.replace('_', '\x0b').replace('^', '\x1c'));
      const bytes = frame(payload);
      let best = Infinity;
      for (let run = 0; run < 3; run++) {
        const began = performance.now();
        let length = 0;
        const deframer = createDeframer({ maxBytes: size, mode: 'strict', marks }, (a) => {
          length += a.kind === 'message' ? a.payload.length : 0;
        });
        for (let at = 0; at < bytes.length; at += chunk) {
          deframer.push(bytes.subarray(at, at + chunk));
        }
        best = Math.min(best, performance.now() - began);
        assert.equal(length, size);
      }
      return best / size;
    };
    const small = perByte(1 << 18, 4096);
    const large = perByte(1 << 22, 4096);
    // A reader that scans or copies again with each chunk is 16 times slower here.
    assert.ok(large < small * 6, `per byte: ${small} ms at 256 KiB, ${large} ms at 4 MiB`);
  });

  it('row 22: a 50 MB frame arrives whole', () => {
    const payload = Buffer.alloc(50_000_000, 'OBX|1|TX|||text\r');
    const bytes = frame(payload);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 65_536) chunks.push(bytes.subarray(at, at + 65_536));
    const [arrival, ...more] = deframed(chunks, { maxBytes: 64_000_000 });
    assert.ok(arrival?.kind === 'message' && more.length === 0);
    assert.ok(arrival.payload.equals(payload));
  });

  it('row 21: memory stays bounded on bytes that never bring a VT, and on single bytes', () => {
    const deframer = createDeframer(
      { maxBytes: 1 << 30, keepBytes: 65_536, mode: 'lenient', marks },
      () => {},
    );
    const before = process.memoryUsage().arrayBuffers;
    const chunk = Buffer.alloc(65_536, 'x');
    for (let i = 0; i < 4096; i++) deframer.push(chunk);
    assert.equal(deframer.state(), 'skipping');
    deframer.push(Buffer.from('\x0b'));
    const letter = Buffer.from('y');
    for (let i = 0; i < 1_000_000; i++) deframer.push(letter);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 8 << 20, `${grown} bytes held`);
  });
});
