//! Names of SNS topics and SQS queues.
//! Sources: SNS API Reference, `CreateTopic`; SQS API Reference, `CreateQueue`.
//! Not for: the suffix of FIFO ones, or how long a name may be, in which the two services differ.

/// Returns whether SNS and SQS take a text as a name, or as one without the suffix `.fifo`.
pub fn is_channel_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.chars().all(is_plain)
}
