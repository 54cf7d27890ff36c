/** What a process holds of the machine, as Linux tells it. */
import { readFileSync, readdirSync } from 'node:fs';

/** Resident memory in bytes; 0 once the process is gone. */
export function residentMemory(pid: number): number {
  try {
    const [, kilobytes = '0'] =
      /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return 0;
  }
}

/** Open file descriptors; 0 once the process is gone. */
export function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
