lambda_config = {
  blog = {
    family          = "blog-svc"
    blue_image      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
    green_image     = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
    active_color    = "blue"
    activate_canary = false
    green_weight    = 0
    hostnames       = ["blog.example.com"]
  }
  shop = {
    family          = "shop-svc"
    blue_image      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
    green_image     = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
    active_color    = "blue"
    activate_canary = false
    green_weight    = 0
    hostnames       = ["shop.example.com"]
  }
}

canary_source_ips = ["127.0.0.9/32"]
