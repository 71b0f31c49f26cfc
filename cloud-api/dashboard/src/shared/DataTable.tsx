import { Table } from "@mantine/core";
import { type Column, HeadCells, RowCells } from "./Cells";
import classes from "./DataTable.module.css";

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
          <HeadCells columns={columns} />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody role="rowgroup">
        {rows.map((row) => (
          <Table.Tr key={rowKey(row)} role="row">
            <RowCells columns={columns} row={row} />
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
