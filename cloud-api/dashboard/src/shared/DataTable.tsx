import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./DataTable.module.css";

export interface Column<T> {
  key: string;
  header: string;
  numeric?: boolean;
  cell: (row: T) => ReactNode;
}

interface Props<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
}

/** A table that stays one for screen readers; on a phone each row becomes a block with its labels. */
export function DataTable<T>({ caption, columns, rows, rowKey }: Props<T>) {
  return (
    <Table className={classes.table} verticalSpacing="sm" highlightOnHover role="table">
      <caption className="visually-hidden">{caption}</caption>
      <Table.Thead role="rowgroup">
        <Table.Tr role="row">
          {columns.map(({ key, header, numeric }) => (
            <Table.Th key={key} scope="col" role="columnheader" ta={numeric ? "right" : undefined}>
              {header}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody role="rowgroup">
        {rows.map((row) => (
          <Table.Tr key={rowKey(row)} role="row">
            {columns.map(({ key, header, numeric, cell }) => (
              <Table.Td key={key} role="cell" data-label={header} ta={numeric ? "right" : undefined}>
                {cell(row)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
