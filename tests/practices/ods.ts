/** Rows of epraccur.csv, in the older form and the present one. */

export interface OdsCells {
  name?: string;
  status?: string;
  commissioner?: string;
  setting?: string;
  closed?: string;
}

/** One row. The older form unless `status` and `setting` are of the present one. */
export function odsRow(
  ods: string,
  {
    name = `SURGERY ${ods}`,
    status = 'A',
    commissioner = '08M',
    setting = '4',
    closed = '',
  }: OdsCells = {},
): string {
  const cells = Array.from({ length: 27 }, () => '');
  Object.assign(cells, { 0: ods, 1: name, 9: 'ZZ99 3WZ', 11: closed, 12: status });
  Object.assign(cells, { 14: commissioner, 25: setting });
  return cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',');
}

/** A list with what is met in the real one: 3 practices to be taken for 08M, and 6 rows that are not. */
export const mixed = [
  odsRow('F84001', { name: 'ALBION "STREET" SURGERY' }),
  odsRow('F84002', { status: 'C', closed: '20240331' }),
  odsRow('F84003', { status: 'D' }),
  odsRow('F84004', { status: 'P' }),
  odsRow('F84005', { setting: '1' }),
  odsRow('F84006', { status: 'ACTIVE', setting: 'RO80|RO76' }),
  odsRow('F84007', { status: 'INACTIVE', setting: 'RO76', closed: '2025-01-31' }),
  odsRow('G85001', { commissioner: '72Q' }),
  odsRow('Z99907', { name: 'FERRY LANDING' }),
];
