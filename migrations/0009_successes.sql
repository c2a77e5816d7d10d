-- What a rollback and an update by Adobe start from: the newest successes of each pipeline. They are
-- kept here because finding them among the executions takes longer the more there are.
CREATE TABLE successes (
    program_id  INTEGER NOT NULL,
    pipeline_id INTEGER NOT NULL,
    last_id     INTEGER NOT NULL,        -- the newest execution that has finished
    built_by    INTEGER NOT NULL,        -- the execution that built its artifacts
    other_id    INTEGER,                 -- the newest one that has finished with other artifacts
    PRIMARY KEY (program_id, pipeline_id),
    FOREIGN KEY (program_id, pipeline_id) REFERENCES pipelines (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO successes
WITH origins AS MATERIALIZED (
    SELECT id AS plan_id, body ->> '$.code.built_by.execution_id' AS built_by FROM plans
), finished AS (
    SELECT program_id, pipeline_id, sequence, id, coalesce(built_by, id) AS built_by
    FROM executions JOIN origins USING (plan_id) WHERE status = 'FINISHED'
), newest AS (
    SELECT program_id, pipeline_id, max(sequence), id, built_by FROM finished
    GROUP BY program_id, pipeline_id
)
SELECT program_id, pipeline_id, id, built_by,
       (SELECT other.id FROM finished AS other
        WHERE other.program_id = newest.program_id AND other.pipeline_id = newest.pipeline_id
          AND other.built_by <> newest.built_by
        ORDER BY other.sequence DESC LIMIT 1)
FROM newest;

-- Finds the pending deliveries of one queue, however many the subscriber has in others.
CREATE INDEX pending_deliveries ON deliveries (webhook_id, execution_id) WHERE status = 'PENDING';
