lambda_config = {
  nginx-lambda = {
    family          = "nginx-svc"
    blue_image      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
    green_image     = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:green"
    active_color    = "blue"
    activate_canary = false
    green_weight    = 0
  }
}
