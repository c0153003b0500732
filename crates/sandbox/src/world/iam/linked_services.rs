//! The service-linked roles that services define: the role's name, the AWS managed policy that is
//! attached to it, and whether a custom suffix is allowed.
//! Sources: IAM User Guide, "AWS services that work with IAM" and each service's page on its
//! service-linked role; the AWS Managed Policy Reference for the names of policies. Not each row
//! was compared with its page.
//! Not for: the documents of these policies, since no service acts as its service-linked role here.

/// A service that has a service-linked role.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkedService {
    /// The name of the role after the prefix that all service-linked roles have.
    role: &'static str,
    /// The name of the AWS managed policy that is attached to the role.
    pub(crate) policy: &'static str,
    /// Whether the service allows a custom suffix.
    pub(crate) suffix: bool,
}

impl LinkedService {
    /// Returns the name of the role without a custom suffix.
    pub(crate) fn role(self) -> String {
        format!("AWSServiceRoleFor{}", self.role)
    }
}

/// The services that were recorded to allow a custom suffix; 68 others were recorded to refuse it
/// (recorded by `LocalStack`'s snapshots, 2024-26).
const WITH_SUFFIX: [&str; 3] = ["autoscaling", "connect", "lexv2"];

/// Returns the service-linked role that the service of a principal such as
/// `autoscaling.amazonaws.com` defines, if the sandbox knows it.
pub(crate) fn linked_service(principal: &str) -> Option<LinkedService> {
    let name = principal.strip_suffix(".amazonaws.com")?;
    let (_, role, policy) = SERVICES.iter().find(|(service, _, _)| *service == name)?;
    Some(LinkedService { role, policy, suffix: WITH_SUFFIX.contains(&name) })
}

/// Each service: its principal without `.amazonaws.com`, the name of its role without
/// `AWSServiceRoleFor`, and the name of the policy.
static SERVICES: [(&str, &str, &str); 117] = [
    ("access-analyzer", "AccessAnalyzer", "AccessAnalyzerServiceRolePolicy"),
    (
        "accountdiscovery.ssm",
        "AmazonSSM_AccountDiscovery",
        "AWSSystemsManagerAccountDiscoveryServicePolicy",
    ),
    ("acm", "CertificateManager", "CertificateManagerServiceRolePolicy"),
    (
        "apidestinations.events",
        "AmazonEventBridgeApiDestinations",
        "AmazonEventBridgeApiDestinationsServiceRolePolicy",
    ),
    ("appmesh", "AppMesh", "AWSAppMeshServiceRolePolicy"),
    (
        "appstream.application-autoscaling",
        "ApplicationAutoScaling_AppStreamFleet",
        "AWSApplicationAutoscalingAppStreamFleetPolicy",
    ),
    ("autoscaling", "AutoScaling", "AutoScalingServiceRolePolicy"),
    (
        "autoscaling-plans",
        "AutoScalingPlans_EC2AutoScaling",
        "AWSAutoScalingPlansEC2AutoScalingPolicy",
    ),
    ("backup", "Backup", "AWSBackupServiceLinkedRolePolicyForBackup"),
    ("batch", "Batch", "BatchServiceRolePolicy"),
    (
        "cassandra.application-autoscaling",
        "ApplicationAutoScaling_CassandraTable",
        "AWSApplicationAutoscalingCassandraTablePolicy",
    ),
    (
        "cks.kms",
        "KeyManagementServiceCustomKeyStores",
        "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy",
    ),
    ("cloud9", "AWSCloud9", "AWSCloud9ServiceRolePolicy"),
    ("cloudhsm", "CloudHSM", "CloudHSMServiceRolePolicy"),
    ("cloudtrail", "CloudTrail", "CloudTrailServiceRolePolicy"),
    (
        "codestar-notifications",
        "CodeStarNotifications",
        "AWSCodeStarNotificationsServiceRolePolicy",
    ),
    (
        "comprehend.application-autoscaling",
        "ApplicationAutoScaling_ComprehendEndpoint",
        "AWSApplicationAutoscalingComprehendEndpointPolicy",
    ),
    ("compute-optimizer", "ComputeOptimizer", "ComputeOptimizerServiceRolePolicy"),
    ("config", "Config", "AWSConfigServiceRolePolicy"),
    ("config-conforms", "ConfigConforms", "ConfigConformsServiceRolePolicy"),
    ("connect", "AmazonConnect", "AmazonConnectServiceLinkedRolePolicy"),
    (
        "contributorinsights.dynamodb",
        "DynamoDBCloudWatchContributorInsights",
        "DynamoDBCloudWatchContributorInsightsServiceRolePolicy",
    ),
    (
        "custom-resource.application-autoscaling",
        "ApplicationAutoScaling_CustomResource",
        "AWSApplicationAutoScalingCustomResourcePolicy",
    ),
    ("dax", "DAX", "DAXServiceRolePolicy"),
    ("dms", "DMSServerless", "AWSDMSServerlessServiceRolePolicy"),
    ("dms-fleet-advisor", "DMSFleetAdvisor", "AWSDMSFleetAdvisorServiceRolePolicy"),
    ("docdb-elastic", "DocDB-Elastic", "AmazonDocDB-ElasticServiceRolePolicy"),
    (
        "dynamodb.application-autoscaling",
        "ApplicationAutoScaling_DynamoDBTable",
        "AWSApplicationAutoscalingDynamoDBTablePolicy",
    ),
    ("ec2-instance-connect", "Ec2InstanceConnect", "Ec2InstanceConnectEndpoint"),
    (
        "ec2.application-autoscaling",
        "ApplicationAutoScaling_EC2SpotFleetRequest",
        "AWSApplicationAutoscalingEC2SpotFleetRequestPolicy",
    ),
    ("ec2fleet", "EC2Fleet", "AWSEC2FleetServiceRolePolicy"),
    ("ecr", "ECRTemplate", "ECRTemplateServiceRolePolicy"),
    ("ecs", "ECS", "AmazonECSServiceRolePolicy"),
    (
        "ecs.application-autoscaling",
        "ApplicationAutoScaling_ECSService",
        "AWSApplicationAutoscalingECSServicePolicy",
    ),
    ("eks", "AmazonEKS", "AmazonEKSServiceRolePolicy"),
    ("eks-connector", "AmazonEKSConnector", "AmazonEKSConnectorServiceRolePolicy"),
    ("eks-fargate", "AmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy"),
    ("eks-nodegroup", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    ("elasticache", "ElastiCache", "ElastiCacheServiceRolePolicy"),
    (
        "elasticache.application-autoscaling",
        "ApplicationAutoScaling_ElastiCacheRG",
        "AWSApplicationAutoscalingElastiCacheRGPolicy",
    ),
    ("elasticbeanstalk", "ElasticBeanstalk", "AWSElasticBeanstalkServiceRolePolicy"),
    ("elasticfilesystem", "AmazonElasticFileSystem", "AmazonElasticFileSystemServiceRolePolicy"),
    ("elasticloadbalancing", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    ("elasticmapreduce", "EMRCleanup", "AmazonEMRCleanupPolicy"),
    (
        "elasticmapreduce.application-autoscaling",
        "ApplicationAutoScaling_EMRInstanceGroup",
        "AWSApplicationAutoscalingEMRInstanceGroupPolicy",
    ),
    ("email.cognito-idp", "AmazonCognitoIdpEmailService", "AmazonCognitoIdpEmailServiceRolePolicy"),
    ("emr-containers", "AmazonEMRContainers", "AmazonEMRContainersServiceRolePolicy"),
    ("emrwal", "EMRWAL", "EMRDescribeClusterPolicyForEMRWAL"),
    ("es", "AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy"),
    ("events", "CloudWatchEvents", "CloudWatchEventsServiceRolePolicy"),
    ("fis", "FIS", "AmazonFISServiceRolePolicy"),
    ("fsx", "AmazonFSx", "AmazonFSxServiceRolePolicy"),
    ("globalaccelerator", "GlobalAccelerator", "AWSGlobalAcceleratorSLRPolicy"),
    ("grafana", "AmazonGrafana", "AmazonGrafanaServiceLinkedRolePolicy"),
    ("guardduty", "AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"),
    ("imagebuilder", "ImageBuilder", "AWSServiceRoleForImageBuilder"),
    ("inspector2", "AmazonInspector2", "AmazonInspector2ServiceRolePolicy"),
    ("iotmanagedintegrations", "IoTManagedIntegrations", "AWSIoTManagedIntegrationsRolePolicy"),
    ("kafka", "Kafka", "KafkaServiceRolePolicy"),
    (
        "kafka.application-autoscaling",
        "ApplicationAutoScaling_KafkaCluster",
        "AWSApplicationAutoscalingKafkaClusterPolicy",
    ),
    ("kafkaconnect", "KafkaConnect", "KafkaConnectServiceRolePolicy"),
    (
        "kinesisreplication.dynamodb",
        "DynamoDBKinesisDataStreamsReplication",
        "DynamoDBKinesisReplicationServiceRolePolicy",
    ),
    ("lakeformation", "LakeFormationDataAccess", "LakeFormationDataAccessServiceRolePolicy"),
    (
        "lambda.application-autoscaling",
        "ApplicationAutoScaling_LambdaConcurrency",
        "AWSApplicationAutoscalingLambdaConcurrencyPolicy",
    ),
    ("lex", "LexBots", "AmazonLexBotPolicy"),
    ("lexv2", "LexV2Bots", "AmazonLexV2BotPolicy"),
    ("lightsail", "Lightsail", "LightsailExportAccess"),
    ("logger.cloudfront", "CloudFrontLogger", "AWSCloudFrontLogger"),
    ("m2", "AWSM2", "AWSM2ServicePolicy"),
    ("macie", "AmazonMacie", "AmazonMacieServiceRolePolicy"),
    (
        "member.org.stacksets.cloudformation",
        "CloudFormationStackSetsOrgMember",
        "CloudFormationStackSetsOrgMemberServiceRolePolicy",
    ),
    ("memorydb", "MemoryDB", "MemoryDBServiceRolePolicy"),
    ("mq", "AmazonMQ", "AmazonMQServiceRolePolicy"),
    (
        "mrk.kms",
        "KeyManagementServiceMultiRegionKeys",
        "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy",
    ),
    (
        "neptune.application-autoscaling",
        "ApplicationAutoScaling_NeptuneCluster",
        "AWSApplicationAutoscalingNeptuneClusterPolicy",
    ),
    ("networkmanager", "NetworkManager", "AWSNetworkManagerServiceRolePolicy"),
    ("notifications", "AwsUserNotifications", "AWSUserNotificationsServiceLinkedRolePolicy"),
    (
        "observability.aoss",
        "AmazonOpenSearchServerless",
        "AmazonOpenSearchServerlessServiceRolePolicy",
    ),
    ("opensearchservice", "AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy"),
    ("ops.apigateway", "APIGateway", "APIGatewayServiceRolePolicy"),
    ("ops.emr-serverless", "AmazonEMRServerless", "AmazonEMRServerlessServiceRolePolicy"),
    (
        "opsdatasync.ssm",
        "SystemsManagerOpsDataSync",
        "AWSSystemsManagerOpsDataSyncServiceRolePolicy",
    ),
    ("opsinsights.ssm", "AmazonSSM_OpsInsights", "AWSSSMOpsInsightsServiceRolePolicy"),
    ("organizations", "Organizations", "AWSOrganizationsServiceTrustPolicy"),
    ("pullthroughcache.ecr", "ECRPullThroughCache", "AWSECRPullThroughCache_ServiceRolePolicy"),
    ("ram", "ResourceAccessManager", "AWSResourceAccessManagerServiceRolePolicy"),
    ("rds", "RDS", "AmazonRDSServiceRolePolicy"),
    (
        "rds.application-autoscaling",
        "ApplicationAutoScaling_RDSCluster",
        "AWSApplicationAutoscalingRDSClusterPolicy",
    ),
    ("redshift", "Redshift", "AmazonRedshiftServiceLinkedRolePolicy"),
    ("replication.cassandra", "KeyspacesReplication", "KeyspacesReplicationServiceRolePolicy"),
    ("replication.dynamodb", "DynamoDBReplication", "DynamoDBReplicationServiceRolePolicy"),
    ("replication.ecr", "ECRReplication", "ECRReplicationServiceRolePolicy"),
    ("replicator.lambda", "LambdaReplicator", "AWSLambdaReplicator"),
    ("repository.sync.codeconnections", "GitSync", "AWSGitSyncServiceRolePolicy"),
    ("resource-explorer-2", "ResourceExplorer", "AWSResourceExplorerServiceRolePolicy"),
    ("rolesanywhere", "RolesAnywhere", "AWSRolesAnywhereServicePolicy"),
    ("s3-outposts", "S3OnOutposts", "AWSS3OnOutpostsServiceRolePolicy"),
    (
        "sagemaker.application-autoscaling",
        "ApplicationAutoScaling_SageMakerEndpoint",
        "AWSApplicationAutoscalingSageMakerEndpointPolicy",
    ),
    ("securityhub", "SecurityHub", "AWSSecurityHubServiceRolePolicy"),
    ("ses", "AmazonSES", "AmazonSESServiceRolePolicy"),
    ("shield", "AWSShield", "AWSShieldServiceRolePolicy"),
    ("spot", "EC2Spot", "AWSEC2SpotServiceRolePolicy"),
    ("spotfleet", "EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy"),
    ("ssm", "AmazonSSM", "AmazonSSMServiceRolePolicy"),
    ("ssm-incidents", "IncidentManager", "AWSIncidentManagerServiceRolePolicy"),
    ("ssm-quicksetup", "SSMQuickSetup", "SSMQuickSetupRolePolicy"),
    ("sso", "SSO", "AWSSSOServiceRolePolicy"),
    (
        "stacksets.cloudformation",
        "CloudFormationStackSetsOrgAdmin",
        "CloudFormationStackSetsOrgAdminServiceRolePolicy",
    ),
    ("storage-lens.s3", "S3StorageLens", "S3StorageLensServiceRolePolicy"),
    ("support", "Support", "AWSSupportServiceRolePolicy"),
    ("transitgateway", "VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy"),
    ("trustedadvisor", "TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"),
    ("vpcorigin.cloudfront", "CloudFrontVPCOrigin", "AWSCloudFrontVPCOriginServiceRolePolicy"),
    ("waf", "WAFLogging", "WAFLoggingServiceRolePolicy"),
    ("waf-regional", "WAFRegionalLogging", "WAFRegionalLoggingServiceRolePolicy"),
    ("wafv2", "WAFV2Logging", "WAFV2LoggingServiceRolePolicy"),
    (
        "workspaces.application-autoscaling",
        "ApplicationAutoScaling_WorkSpacesPool",
        "AWSApplicationAutoscalingWorkSpacesPoolPolicy",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_and_its_role_appear_once() {
        for (index, (service, role, _)) in SERVICES.iter().enumerate() {
            let mut rest = SERVICES[index + 1..].iter();
            assert!(rest.all(|(other, name, _)| other != service && name != role), "{service}");
            let principal = format!("{service}.amazonaws.com");
            assert!(linked_service(&principal).is_some_and(|it| it.role().len() <= 64));
        }
        for service in WITH_SUFFIX {
            assert!(
                linked_service(&format!("{service}.amazonaws.com")).is_some_and(|it| it.suffix)
            );
        }
        assert!(linked_service("s3").is_none() && linked_service("").is_none());
    }
}
