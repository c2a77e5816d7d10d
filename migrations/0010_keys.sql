-- RSA keys, made when they are first needed. They belong to the database file, not to the state in
-- it: they are not exported, and stay where the state is replaced.
CREATE TABLE keys (
    name  TEXT PRIMARY KEY,
    pkcs8 BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The certificate of a service account, PEM.
ALTER TABLE clients ADD COLUMN certificate TEXT;

-- The executions of a program, newest first, with any status or with one.
CREATE INDEX executions_by_status ON executions (program_id, status, created_at, id);

-- The steps of executions, for people who look into the database. A step that has not begun is not
-- in the timeline, whose times are milliseconds since the execution's creation.
DROP VIEW step_states;
CREATE VIEW step_states AS
WITH steps AS (
    SELECT executions.id                               AS execution,
           step.value ->> 'action'                     AS action,
           executions.created_at                       AS created_at,
           executions.timeline -> CAST(step.key AS INTEGER) AS state
    FROM executions
    JOIN plans ON plans.id = executions.plan_id
    JOIN json_each(plans.body, '$.steps') AS step
)
SELECT execution,
       action,
       CASE
           WHEN state IS NULL THEN 'NOT_STARTED'
           WHEN state -> 'r' IS NOT NULL THEN 'RUNNING'
           WHEN state -> 'w' IS NOT NULL THEN 'WAITING'
           ELSE state ->> '$.e[0]'
       END AS status,
       strftime('%Y-%m-%dT%H:%M:%f+0000',
           (created_at + coalesce(state ->> '$.e[1]', state ->> '$.r[0]', state ->> '$.w[0]')) / 1000.0,
           'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%f+0000', (created_at + (state ->> '$.e[2]')) / 1000.0,
           'unixepoch') AS finished
FROM steps;
