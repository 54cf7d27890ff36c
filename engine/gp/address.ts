/** Whether an address is one that can be asked at. Apart from what asks there, which takes long to load. */
export function isHttpUrl(address: string): boolean {
  return /^https?:\/\//i.test(address) && URL.canParse(address);
}
