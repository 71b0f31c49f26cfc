import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";
import { Page } from "@/shared/Page";
import { paths } from "./paths";

export function NotFound() {
  return (
    <Page title="No page here">
      <Text>
        There is no page at this address. Check it for a typing error, or{" "}
        <Anchor component={Link} to={paths.home} underline="always">
          go to Home
        </Anchor>
        .
      </Text>
    </Page>
  );
}
