import assert from 'node:assert/strict';
import { parseMessage } from '../../engine/hl7/message.ts';
import { findNhsNumber, findNhsNumbers, nhsNumberValid } from '../../engine/hl7/nhs-number.ts';

const withField = (path: string, raw: string) => {
  const message = parseMessage(Buffer.from('MSH|^~\\&|A\rPID|1\rQPD|x\rQRD|x\r'));
  message.setRaw(path, raw);
  return message;
};

describe('NHS numbers', () => {
  it('are valid when their check digit is', () => {
    for (const number of ['9449305552', '9000000009', '4010232137', '944 930 5552', '944-930-5552'])
      assert.equal(nhsNumberValid(number), true, number);
    for (const number of ['9449305553', '944930555', '94493055520', '', '944930555X', '1234567890'])
      assert.equal(nhsNumberValid(number), false, number);
  });

  it('fail for nine of ten last digits, and for every other digit changed', () => {
    const good = '9449305552';
    for (let at = 0; at < 10; at++) {
      for (const digit of '0123456789') {
        const changed = good.slice(0, at) + digit + good.slice(at + 1);
        assert.equal(nhsNumberValid(changed), changed === good, changed);
      }
    }
  });

  it('are none whose check digit would be 10', () => {
    for (const digit of '0123456789') assert.equal(nhsNumberValid(`100000001${digit}`), false);
  });

  const found: [string, string, string | undefined][] = [
    ['PID-3', '9449305552^^^NHS^NH', '9449305552'],
    ['PID-3', '9449305552^^^NHS', '9449305552'],
    ['PID-3', '9449305552^^^^NH', '9449305552'],
    ['PID-3', '9449305552^^^NHS&2.16.840.1.113883.2.1.4.1&ISO', '9449305552'],
    ['PID-3', '9449305552^^^nhs^nh', '9449305552'],
    ['PID-3', '633^^^R0A^MR~9449305552^^^NHS^NH', '9449305552'],
    ['PID-3', '944 930 5552^^^NHS^NH', '9449305552'],
    ['PID-3', '9449305552', undefined],
    ['PID-3', '9449305552^^^R0A^MR', undefined],
    ['PID-3', '""^^^NHS^NH', undefined],
    ['PID-3', '^^^NHS^NH', undefined],
    ['QPD-3', '9449305553^^^NHS^NH', '9449305553'],
    ['QRD-8', '9449305552^^^^^^^^NHS', '9449305552'],
    ['QRD-8', '9449305552^^^^^^^^^^^^NH', '9449305552'],
    ['QRD-8', '9449305552^^^NHS^NH', '9449305552'],
    ['PID-3', '9449305552^^^^^^^^NHS', undefined],
  ];
  for (const [path, raw, number] of found) {
    it(`${path} ${raw} holds ${number ?? 'none'}`, () =>
      assert.equal(findNhsNumber(withField(path, raw), [path]), number));
  }

  it('are all told, with their place and whether they were spaced', () => {
    const message = withField('PID-3', '1^^^R0A~944 930 5552^^^NHS~9000000009^^^^NH');
    assert.deepEqual(findNhsNumbers(message, ['QPD-3', 'PID-3']), [
      { number: '9449305552', path: 'PID-3[2]', spaced: true },
      { number: '9000000009', path: 'PID-3[3]', spaced: false },
    ]);
  });
});
