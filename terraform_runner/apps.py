from django.apps import AppConfig


class TerraformRunnerConfig(AppConfig):
    name = "terraform_runner"
