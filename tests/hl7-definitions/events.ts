/**
 * Which message structure a trigger event uses (HL7 v2.5 table 0354, from v2.3.1 on). The
 * dictionary lists every event on its own, often as an older version left it (ADT_A04 of 2.5 lacks
 * SFT); where the standard names a shared structure, that one is meant.
 */
const shared = `
ADT_A01: A04 A08 A13
ADT_A05: A14 A28 A31
ADT_A06: A07
ADT_A09: A10 A11
ADT_A21: A22 A23 A25 A26 A27 A29 A32 A33
ADT_A30: A34 A35 A36 A46 A47 A48 A49
ADT_A39: A40 A41 A42
ADT_A43: A44
ADT_A50: A51
ADT_A52: A53
ADT_A54: A55
ADT_A61: A62
CRM_C01: C02 C03 C04 C05 C06 C07 C08
CSU_C09: C10 C11 C12
MDM_T01: T03 T05 T07 T09 T11
MDM_T02: T04 T06 T08 T10
PEX_P07: P08
PGL_PC6: PC7 PC8
PMU_B01: B02
PMU_B04: B05 B06
PPG_PCG: PCH PCJ
PPP_PCB: PCC PCD
PPR_PC1: PC2 PC3
QBP_Q21: Q22 Q23 Q24 Q25
QRY_PC4: PC9 PCE PCK
REF_I12: I13 I14 I15
RPA_I08: I09 I10 I11
RQA_I08: I09 I10 I11
RQC_I05: I06
RQI_I01: I02 I03
RRI_I12: I13 I14 I15
RSP_K23: K24
SIU_S12: S13 S14 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S26 S27
SRM_S01: S02 S03 S04 S05 S06 S07 S08 S09 S10 S11
SRR_S01: S02 S03 S04 S05 S06 S07 S08 S09 S10 S11
TCU_U10: U11
`;

/** `ADT_A04` → `ADT_A01`, for every event that shares another's structure. */
export const sharedStructures: ReadonlyMap<string, string> = new Map(
  shared
    .trim()
    .split('\n')
    .flatMap((line): [string, string][] => {
      const [id = '', events = ''] = line.split(': ');
      return events.split(' ').map((event) => [`${id.slice(0, 4)}${event}`, id]);
    }),
);
