//! CloudWatch's metric alarms: found by the beginning of their names, put, tagged, deleted.
//! Section: CloudWatch API Reference, `DescribeAlarms`, `PutMetricAlarm`, `ListTagsForResource`,
//! `TagResource`, `UntagResource`, `DeleteAlarms`, in the Query protocol.
//! Not for: what an alarm watches (see `plan::alarms`), or metrics (see `cloudwatch`).

use super::cloudwatch::VERSION;
use super::raw_request::{Form, List};
use super::{Aws, Error};
use crate::names::{Arn, Region};
use crate::world::{Alarm, AlarmSays, Tags};
use serde::Deserialize;
use serde::de::IgnoredAny;

const DESCRIBE: &str = "cloudwatch:DescribeAlarms";

impl Aws {
    /// Returns the metric alarms in `region` whose names begin with `prefix`, each with its tags.
    ///
    /// # Errors
    /// The caller may not read them, or CloudWatch can't be reached.
    pub async fn alarms(&self, region: &Region, prefix: &str) -> Result<Vec<Alarm>, Error> {
        let mut alarms = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut form = Form::of("DescribeAlarms", VERSION);
            form.set("AlarmNamePrefix", prefix).set("AlarmTypes.member.1", "MetricAlarm");
            form.set("MaxRecords", "100");
            if let Some(token) = &token {
                form.set("NextToken", token);
            }
            let answer: Described = self.cloudwatch(region, DESCRIBE, form).await?;
            for found in answer.result.alarms.member {
                let arn = Arn::new(found.arn.clone())
                    .map_err(|_| Error::unreadable(DESCRIBE, region, "alarm ARN"))?;
                // It may have been deleted since.
                let Some(tags) = self.alarm_tags(region, &arn).await? else { continue };
                alarms.push(found.alarm(region, arn, tags));
            }
            token = answer.result.next.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(alarms);
            }
        }
    }

    async fn alarm_tags(&self, region: &Region, arn: &Arn) -> Result<Option<Tags>, Error> {
        let mut form = Form::of("ListTagsForResource", VERSION);
        form.set("ResourceARN", arn.as_str());
        match self.cloudwatch::<Listed>(region, "cloudwatch:ListTagsForResource", form).await {
            Ok(answer) => {
                let tags = answer.result.tags.member.into_iter();
                Ok(Some(tags.map(|tag| (tag.key, tag.value)).collect()))
            }
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates or overwrites an alarm. CloudWatch gives the tags to a new alarm only.
    ///
    /// # Errors
    /// The caller may not put it, or a value is refused.
    pub async fn put_alarm(
        &self,
        region: &Region,
        name: &str,
        says: &AlarmSays,
        tags: &Tags,
    ) -> Result<(), Error> {
        let mut form = Form::of("PutMetricAlarm", VERSION);
        form.set("AlarmName", name).set("AlarmDescription", &says.description);
        form.set("Namespace", &says.namespace).set("MetricName", &says.metric);
        form.set("Statistic", &says.statistic).set("Period", &says.period.to_string());
        form.set("EvaluationPeriods", &says.evaluation_periods.to_string());
        form.set("DatapointsToAlarm", &says.datapoints_to_alarm.to_string());
        form.set("Threshold", &says.threshold.to_string());
        form.set("ComparisonOperator", &says.comparison);
        form.set("TreatMissingData", &says.missing_data);
        form.set("ActionsEnabled", &says.actions_enabled.to_string());
        form.list("AlarmActions", &says.alarm_actions).list("OKActions", &says.ok_actions);
        form.list("InsufficientDataActions", &says.insufficient_data_actions);
        form.pairs("Dimensions", ("Name", "Value"), &says.dimensions);
        form.pairs("Tags", ("Key", "Value"), tags);
        self.cloudwatch::<IgnoredAny>(region, "cloudwatch:PutMetricAlarm", form).await.map(drop)
    }

    /// Adds tags to an alarm, or replaces their values.
    ///
    /// # Errors
    /// The caller may not tag it, or there is no such alarm.
    pub async fn tag_alarm(&self, region: &Region, arn: &Arn, tags: &Tags) -> Result<(), Error> {
        let mut form = Form::of("TagResource", VERSION);
        form.set("ResourceARN", arn.as_str()).pairs("Tags", ("Key", "Value"), tags);
        self.cloudwatch::<IgnoredAny>(region, "cloudwatch:TagResource", form).await.map(drop)
    }

    /// Takes a tag off an alarm.
    ///
    /// # Errors
    /// The caller may not untag it, or there is no such alarm.
    pub async fn untag_alarm(&self, region: &Region, arn: &Arn, key: &str) -> Result<(), Error> {
        let mut form = Form::of("UntagResource", VERSION);
        form.set("ResourceARN", arn.as_str()).set("TagKeys.member.1", key);
        self.cloudwatch::<IgnoredAny>(region, "cloudwatch:UntagResource", form).await.map(drop)
    }

    /// Deletes an alarm.
    ///
    /// # Errors
    /// The caller may not delete it, or there is no such alarm.
    pub async fn delete_alarm(&self, region: &Region, name: &str) -> Result<(), Error> {
        let mut form = Form::of("DeleteAlarms", VERSION);
        form.set("AlarmNames.member.1", name);
        self.cloudwatch::<IgnoredAny>(region, "cloudwatch:DeleteAlarms", form).await.map(drop)
    }
}

#[derive(Debug, Deserialize)]
struct Described {
    #[serde(rename = "DescribeAlarmsResult")]
    result: AlarmPage,
}

#[derive(Debug, Deserialize)]
struct AlarmPage {
    #[serde(rename = "MetricAlarms", default)]
    alarms: List<Found>,
    #[serde(rename = "NextToken")]
    next: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    #[serde(rename = "AlarmArn")]
    arn: String,
    #[serde(rename = "AlarmName")]
    name: String,
    #[serde(default)]
    alarm_description: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    metric_name: String,
    #[serde(default)]
    dimensions: List<Dimension>,
    #[serde(default)]
    statistic: String,
    period: Option<u32>,
    evaluation_periods: u32,
    datapoints_to_alarm: Option<u32>,
    threshold: Option<f64>,
    #[serde(default)]
    comparison_operator: String,
    treat_missing_data: Option<String>,
    actions_enabled: bool,
    #[serde(default)]
    alarm_actions: List<String>,
    #[serde(rename = "OKActions", default)]
    ok_actions: List<String>,
    #[serde(default)]
    insufficient_data_actions: List<String>,
    state_value: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    value: String,
}

impl Found {
    fn alarm(self, region: &Region, arn: Arn, tags: Tags) -> Alarm {
        let dimensions = self.dimensions.member.into_iter().map(|it| (it.name, it.value));
        let says = AlarmSays {
            description: self.alarm_description,
            namespace: self.namespace,
            metric: self.metric_name,
            dimensions: dimensions.collect(),
            statistic: self.statistic,
            period: self.period.unwrap_or_default(),
            evaluation_periods: self.evaluation_periods,
            // Without it, every period must breach the threshold (CloudWatch API Reference,
            // `MetricAlarm`).
            datapoints_to_alarm: self.datapoints_to_alarm.unwrap_or(self.evaluation_periods),
            threshold: self.threshold.unwrap_or_default(),
            comparison: self.comparison_operator,
            missing_data: self.treat_missing_data.unwrap_or_else(|| "missing".to_owned()),
            actions_enabled: self.actions_enabled,
            alarm_actions: self.alarm_actions.member,
            ok_actions: self.ok_actions.member,
            insufficient_data_actions: self.insufficient_data_actions.member,
        };
        Alarm { region: region.clone(), name: self.name, arn, tags, says, state: self.state_value }
    }
}

#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(rename = "ListTagsForResourceResult")]
    result: TagsOf,
}

#[derive(Debug, Deserialize)]
struct TagsOf {
    #[serde(rename = "Tags", default)]
    tags: List<Tag>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}
