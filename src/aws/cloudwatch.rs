//! Calls to CloudWatch in the Query protocol, and `GetMetricData`. The SDK crate for CloudWatch would
//! add a CBOR codec, a compressor and a second HTTP library.
//! Section: CloudWatch API Reference, `GetMetricData`, in the Query protocol.
//! Not for: which metrics are read (see `check`), or alarms (see `alarms`).

use super::raw_request::{Form, List, Service, host};
use super::{Aws, Error};
use crate::manifest;
use crate::names::Region;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The API version. Every request of the Query protocol contains it.
pub(super) const VERSION: &str = "2010-08-01";
/// The maximum number of series per request.
pub const MAX_SERIES: usize = 500;
/// The period of one value in seconds. S3 reports to CloudWatch every minute.
const PERIOD: &str = "60";

/// One series of values to request.
#[derive(Debug, Clone)]
pub struct Series {
    /// The metric in the namespace `AWS/S3`, such as `ReplicationLatency`.
    pub metric: &'static str,
    /// The statistic, such as `Maximum` or `Sum`.
    pub statistic: &'static str,
    /// Names and values of the dimensions.
    pub dimensions: Vec<(&'static str, String)>,
}

impl Aws {
    /// Calls CloudWatch in `region` with the credentials of that Region.
    pub(super) async fn cloudwatch<T: DeserializeOwned>(
        &self,
        region: &Region,
        operation: &'static str,
        form: Form,
    ) -> Result<T, Error> {
        self.cloudwatch_as(region, region, operation, form).await
    }

    /// Calls CloudWatch in `region` with the credentials of `account_of`.
    async fn cloudwatch_as<T: DeserializeOwned>(
        &self,
        account_of: &Region,
        region: &Region,
        operation: &'static str,
        form: Form,
    ) -> Result<T, Error> {
        let caller = self.caller(account_of);
        let endpoint = host("monitoring", region, &caller.config);
        let (_, given) = self.place(region, manifest::Service::CloudWatch);
        let service = Service { id: "CloudWatch", signing_name: "monitoring", given, endpoint };
        caller.send_form(region, &service, operation, form).await
    }

    /// Returns the values of each of `series` between two times, newest first. CloudWatch is called
    /// in `region` with the credentials of `account_of`.
    pub async fn metric_data(
        &self,
        account_of: &Region,
        region: &Region,
        between: (Timestamp, Timestamp),
        series: &[Series],
    ) -> Result<Vec<Vec<f64>>, Error> {
        const OPERATION: &str = "cloudwatch:GetMetricData";
        let mut values = vec![Vec::new(); series.len()];
        let mut token = None;
        loop {
            let form = form(between, series, token.as_deref());
            let answer: Answer = self.cloudwatch_as(account_of, region, OPERATION, form).await?;
            let page = answer.result;
            for found in page.series.member {
                let at = found.id.strip_prefix('m').and_then(|at| at.parse::<usize>().ok());
                let Some(of_series) = at.and_then(|at| values.get_mut(at)) else {
                    return Err(Error::unreadable(OPERATION, region, "id of a series"));
                };
                of_series.extend(found.values.member);
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(values);
            }
        }
    }
}

/// Writes the request.
fn form(between: (Timestamp, Timestamp), series: &[Series], token: Option<&str>) -> Form {
    let mut form = Form::of("GetMetricData", VERSION);
    let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    form.set("StartTime", &time(between.0)).set("EndTime", &time(between.1));
    form.set("ScanBy", "TimestampDescending");
    if let Some(token) = token {
        form.set("NextToken", token);
    }
    for (at, it) in series.iter().enumerate() {
        let query = format!("MetricDataQueries.member.{}", at + 1);
        let stat = format!("{query}.MetricStat");
        form.set(&format!("{query}.Id"), &format!("m{at}"));
        form.set(&format!("{stat}.Metric.Namespace"), "AWS/S3");
        form.set(&format!("{stat}.Metric.MetricName"), it.metric);
        for (at, (name, value)) in it.dimensions.iter().enumerate() {
            let dimension = format!("{stat}.Metric.Dimensions.member.{}", at + 1);
            form.set(&format!("{dimension}.Name"), name);
            form.set(&format!("{dimension}.Value"), value);
        }
        form.set(&format!("{stat}.Period"), PERIOD);
        form.set(&format!("{stat}.Stat"), it.statistic);
    }
    form
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(rename = "GetMetricDataResult")]
    result: Page,
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(rename = "MetricDataResults", default)]
    series: List<Found>,
    #[serde(rename = "NextToken")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Values", default)]
    values: List<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_aws_is_read() {
        let text = "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">
            <GetMetricDataResult><Messages/><MetricDataResults>
            <member><Id>m0</Id><Label>x</Label><StatusCode>Complete</StatusCode>
            <Timestamps><member>2026-01-01T00:01:00Z</member><member>2026-01-01T00:00:00Z</member></Timestamps>
            <Values><member>2.5</member><member>1.0E7</member></Values></member>
            <member><Id>m1</Id><Timestamps/><Values/></member>
            </MetricDataResults></GetMetricDataResult>
            <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetMetricDataResponse>";
        let answer: Answer = quick_xml::de::from_str(text).unwrap();
        let series = answer.result.series.member;
        assert_eq!(series[0].values.member, [2.5, 1e7]);
        assert!(series[1].values.member.is_empty() && answer.result.next_token.is_none());
    }
}
