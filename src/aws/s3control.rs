//! Endpoints of S3 Control. AWS puts the account id in front of the host. A given endpoint is used
//! unchanged, because neither an IP address nor most emulators serve such a host name.
//! Not for: the calls to S3 Control (see `backfill`).

use aws_sdk_s3control::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_smithy_runtime_api::client::endpoint::EndpointFuture;
use aws_smithy_types::endpoint::{Endpoint, EndpointAuthScheme};

/// Resolves endpoints as the SDK does, except given endpoints.
#[derive(Debug, Default)]
pub(super) struct AsGiven(DefaultResolver);

impl ResolveEndpoint for AsGiven {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        let Some(url) = params.endpoint() else { return self.0.resolve_endpoint(params) };
        // Requests are signed for the service `s3`, and paths are encoded once (S3 Control's
        // endpoint rules, as of every S3 service).
        let signing = EndpointAuthScheme::with_capacity("sigv4", 3)
            .put("disableDoubleEncoding", true)
            .put("signingName", "s3".to_owned())
            .put("signingRegion", params.region().unwrap_or_default().to_owned());
        let endpoint = Endpoint::builder().url(url.to_owned()).auth_scheme(signing).build();
        EndpointFuture::ready(Ok(endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolved(params: aws_sdk_s3control::config::endpoint::ParamsBuilder) -> Endpoint {
        let params = params.account_id("111122223333").requires_account_id(true).build().unwrap();
        AsGiven::default().resolve_endpoint(&params).await.unwrap()
    }

    #[tokio::test]
    async fn aws_has_the_account_in_front_and_what_is_given_stays() {
        for (region, is_special, host) in [
            ("cn-north-1", false, "111122223333.s3-control.cn-north-1.amazonaws.com.cn"),
            (
                "us-gov-west-1",
                true,
                "111122223333.s3-control-fips.dualstack.us-gov-west-1.amazonaws.com",
            ),
        ] {
            let params = Params::builder().region(region).use_fips(is_special);
            let endpoint = resolved(params.use_dual_stack(is_special)).await;
            assert_eq!(endpoint.url(), format!("https://{host}"));
        }
        let params = Params::builder().region("us-east-1").endpoint("http://127.0.0.1:80");
        let endpoint = resolved(params).await;
        assert_eq!(endpoint.url(), "http://127.0.0.1:80");
        let scheme = &endpoint.auth_schemes()[0];
        assert_eq!(scheme.get("signingRegion").unwrap().as_string(), Some("us-east-1"));
    }
}
