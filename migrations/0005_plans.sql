-- Plans are deleted together with the last execution that has them.
CREATE INDEX executions_by_plan ON executions (plan_id);

DELETE FROM plans WHERE NOT EXISTS (SELECT 1 FROM executions WHERE plan_id = plans.id);
