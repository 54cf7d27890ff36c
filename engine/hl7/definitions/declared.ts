/**
 * How our answers leave the standard, as docs/profile.md declares it ("Where we leave the standard"):
 * what a comparison then finds, and the row that says why.
 */
export const declaredDeviations: readonly { finding: RegExp; row: string }[] = [
  { finding: /^QAK is not part of the structure ADR_A19/, row: 'QAK in an ADR^A19 of v2.3' },
  {
    finding: /^(PID|PV1|OBR) is missing .*(ADR_A19|RCI_I05|ORF_R04|VXR_V03)/,
    row: 'no patient where there is no record',
  },
  { finding: /^(PD1-3|ORC-21|OBX-5)\.3 .* is not a number/, row: 'XON.3' },
  { finding: /^PID-5 .* repeats; in version 2\.3/, row: 'PID-5 repeats, in v2.3 too' },
  {
    finding: /^QRD-\d+ .* is required and is empty/,
    row: 'QPD, QRD, QRF and PRD are given back as they came',
  },
  {
    finding: /^MSA-2 .* is required and is empty/,
    row: 'MSA-2 is empty where the message had no MSH-10',
  },
];
