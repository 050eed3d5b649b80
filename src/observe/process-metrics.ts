import { readdirSync } from "node:fs";
import type { Reading } from "./metrics-text.ts";

/** What the whole process uses, under the names that Prometheus' own clients give. */
export function readProcess(version: string): readonly Reading[] {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const readings: Reading[] = [
    {
      name: "process_cpu_seconds_total",
      kind: "counter",
      help: "CPU time of all threads, user and system.",
      value: (userCPUTime + systemCPUTime) / 1e6,
    },
    {
      name: "process_resident_memory_bytes",
      kind: "gauge",
      help: "Resident memory.",
      value: process.memoryUsage.rss(),
    },
    {
      name: "process_start_time_seconds",
      kind: "gauge",
      help: "When the process started, seconds since 1970.",
      value: Math.round(performance.timeOrigin) / 1000,
    },
    {
      name: "mailkeep_build_info",
      kind: "gauge",
      help: "What is running.",
      labels: { version, node: process.versions.node },
      value: 1,
    },
  ];
  const openFiles = countOpenFiles();
  if (openFiles !== undefined) {
    readings.push({ name: "process_open_fds", kind: "gauge", help: "Open file descriptors.", value: openFiles });
  }
  return readings;
}

/** Known where the kernel has /proc. */
function countOpenFiles(): number | undefined {
  try {
    // The descriptor that reads the folder is not counted.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return undefined;
  }
}
