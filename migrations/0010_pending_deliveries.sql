-- Finds the pending deliveries of one queue, however many the subscriber has in others.
CREATE INDEX pending_deliveries ON deliveries (webhook_id, execution_id) WHERE status = 'PENDING';
