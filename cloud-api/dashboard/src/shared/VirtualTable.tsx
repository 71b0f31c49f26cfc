import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { TableProps } from "./Cells";
import { DataTable } from "./DataTable";

const LongTable = lazy(() => import("./LongTable")) as unknown as typeof import("./LongTable").default;

const SHORT = 60;

/** A table of any length. */
export function VirtualTable<T>(props: TableProps<T>) {
  if (props.rows.length <= SHORT) return <DataTable {...props} />;
  return (
    <Suspense fallback={<Skeleton height={480} />}>
      <LongTable {...props} />
    </Suspense>
  );
}
