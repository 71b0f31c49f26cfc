import { Alert, Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/error";
import { features } from "@/app/features";
import { Page } from "@/shared/Page";
import { Section } from "@/shared/Section";
import { FormError } from "@/shared/FormError";
import { Answer } from "./Answer";

const EXAMPLES = ["When do I blink least?", "Was this week different from my usual?", "How sure are these figures?"];
const LONGEST = 500;

export default function AskPage() {
  const [question, setQuestion] = useState("");
  const ask = useMutation({ mutationFn: (text: string) => unwrap(api.POST("/api/user/me/ask", { body: { question: text } })) });
  const off = !features.ask || (ask.error instanceof ApiError && ask.error.code === "not_configured");
  return (
    <Page title="Ask" lead="A question about your own figures, in your own words.">
      {off ? (
        <Alert role="status" title="Questions are off on this server">
          Your operator decides whether a model may answer them. Home and History show the same figures.
        </Alert>
      ) : (
        <Section
          title="Your question"
          note="Your operator’s model gets the question and the sums that Home shows, and nothing else: no minutes, no name, no address."
        >
          <form
            onSubmit={(event) => {
              event.preventDefault();
              ask.mutate(question.trim());
            }}
          >
            <Stack>
              <Textarea
                label="Question"
                autosize
                minRows={2}
                maxLength={LONGEST}
                value={question}
                onChange={(event) => setQuestion(event.currentTarget.value)}
              />
              <Group gap="xs">
                {EXAMPLES.map((example) => (
                  <Button key={example} variant="light" size="sm" onClick={() => setQuestion(example)}>
                    {example}
                  </Button>
                ))}
              </Group>
              <FormError error={ask.error} />
              <Button type="submit" style={{ alignSelf: "start" }} disabled={!question.trim()} loading={ask.isPending}>
                Ask
              </Button>
            </Stack>
          </form>
          <div role="status">
            {ask.data && (
              <Stack gap={4} mt="lg" p="md" bdrs="md" bg="var(--sunken)">
                <Answer text={ask.data.answer} />
                {ask.data.stricken && <Text fz="xs">Numbers that are struck out are not in your figures.</Text>}
                <Text fz="xs" c="dimmed">
                  By {ask.data.model}. It may err; the figures themselves are on Home. It never diagnoses.
                </Text>
              </Stack>
            )}
          </div>
        </Section>
      )}
    </Page>
  );
}
