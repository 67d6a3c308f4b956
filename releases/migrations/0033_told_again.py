from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('releases', '0032_makers_of_policies'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='message',
            name='message_once_for_a_plan_that_waits',
        ),
    ]
