from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("releases", "0031_test_messages")]

    operations = [
        migrations.AddField(
            model_name="policy", name="makers", field=models.JSONField(blank=True, default=dict)
        ),
    ]
