"""Kantata stand-in: the collections, as data."""

from sandbox.kantata.shapes import FIELD_VALUES, REFERENCES, Collection, Many, needs
from sandbox.kantata.values import words

_TEMPLATE_SETTINGS = (
    "project_tracker_template_id project_template_start_date project_template_assignment_mappings "
    "project_template_weekends_as_workdays project_template_create_unnamed_resources "
)
_WORKSPACE = (
    "title description budgeted price currency rate_card_id start_date due_date access_level "
    "status_key stage client_role_name consultant_role_name workspace_group_ids "
    "primary_workspace_group_id approver_id approver_ids require_time_approvals "
    "require_expense_approvals require_notes_on_time_entries time_trackable target_margin "
    "tasks_default_non_billable stories_are_fixed_fee_by_default expenses_in_burn_rate "
    "change_orders_enabled external_link external_reference custom_fields " + _TEMPLATE_SETTINGS
)
_STORY = (
    "title story_type description parent_id start_date due_date archived budget_estimate_in_cents "
    "time_estimate_in_minutes cost_budget_in_cents billable fixed_fee weight priority status state "
    "percentage_complete time_trackable assignee_ids assignments tag_list custom_fields "
    "external_reference"
)
_TIME = (
    "workspace_id date_performed time_in_minutes story_id notes billable rate_in_cents "
    "cost_rate_in_cents role_id location user_id external_reference"
)
_GROUP = (
    "name company contact_name email phone_number address website notes add_workspace_ids external_reference"
)

_ALL = (
    Collection(
        "workspaces",
        "workspace",
        "Workspace",
        3467374,
        event="workspace",
        create=words(_WORKSPACE + "creator_role primary_maven_id participations"),
        update=words(_WORKSPACE + "archived project_template_before_story_id"),
        required={"title": "Please give your project a title"},
        belongs={
            "creator": ("creator_id", "users"),
            "primary_maven": ("primary_maven_id", "users"),
            "approver": ("approver_id", "users"),
            "primary_workspace_group": ("primary_workspace_group_id", "workspace_groups"),
            "rate_card": ("rate_card_id", "rate_cards"),
        },
        many={
            "approvers": Many("users", stored="approver_ids"),
            "participants": Many("users", through=("participations", "workspace_id", "user_id")),
            "participations": Many("participations", foreign="workspace_id"),
            "current_user_participation": Many("participations", foreign="workspace_id", mine=True),
            "workspace_groups": Many("workspace_groups", stored="workspace_group_ids"),
            "workspace_resources": Many("workspace_resources", foreign="workspace_id"),
            "workspace_resources_with_unnamed": Many("workspace_resources", foreign="workspace_id"),
            "external_references": REFERENCES,
            "custom_field_values": FIELD_VALUES,
        },
        optional=words("total_invoiced minutes_logged billable_minutes lock_date"),
        bulk=100,
        searched=("title", "description"),
    ),
    Collection(
        "stories",
        "story",
        "Story",
        26593184,
        event="story",
        create=words("workspace_id " + _STORY),
        update=words(_STORY),
        required=needs("workspace_id title story_type"),
        belongs={
            "workspace": ("workspace_id", "workspaces"),
            "creator": ("creator_id", "users"),
            "parent": ("parent_id", "stories"),
            "root": ("root_id", "stories"),
        },
        many={
            "sub_stories": Many("stories", foreign="parent_id", always=True),
            "ancestors": Many("stories", stored="ancestor_ids"),
            "assignees": Many("users", through=("assignments", "story_id", "assignee_id"), always=True),
            "current_assignments": Many("assignments", foreign="story_id"),
            "workspace_resources_with_unnamed": Many(
                "workspace_resources", through=("assignments", "story_id", "resource_id")
            ),
            "external_references": REFERENCES,
            "custom_field_values": FIELD_VALUES,
        },
        bulk=300,
        deletable=True,
        order="position:asc",
        searched=("title", "description"),
    ),
    Collection(
        "participations",
        "participation",
        "Participation",
        9410000,
        event="participation",
        create=words(
            "workspace_id user_id role access_level can_invite rate_in_cents cost_in_cents external_reference"
        ),
        update=words("access_level can_invite rate_in_cents cost_in_cents team_lead external_reference"),
        required=needs("workspace_id user_id"),
        belongs={"workspace": ("workspace_id", "workspaces"), "user": ("user_id", "users")},
        many={
            "workspace_resources": Many("workspace_resources", foreign="participation_id"),
            "external_references": REFERENCES,
        },
        deletable=True,
    ),
    Collection(
        "workspace_resources",
        "workspace_resource",
        "WorkspaceResource",
        990,
        event="workspace_resource",
        create=words(
            "workspace_id user_id role_id label organization_membership external_reference custom_fields"
        ),
        update=words("user_id role_id label bill_rate cost_rate external_reference"),
        required=needs("workspace_id"),
        belongs={
            "workspace": ("workspace_id", "workspaces"),
            "user": ("user_id", "users"),
            "role": ("role_id", "roles"),
            "participation": ("participation_id", "participations"),
        },
        many={
            "workspace_allocations": Many("workspace_allocations", foreign="workspace_resource_id"),
            "resource_requests": Many("resource_requests", foreign="resource_id"),
            "external_references": REFERENCES,
            "custom_field_values": FIELD_VALUES,
        },
        optional=words("resource_bill_rate resource_cost_rate"),
        deletable=True,
        searched=("label",),
    ),
    Collection(
        "workspace_allocations",
        "workspace_allocation",
        "WorkspaceAllocation",
        81500,
        event="workspace_allocation",
        create=words("resource_id start_date end_date minutes hard notes external_reference"),
        update=words("start_date end_date minutes hard notes external_reference"),
        required=needs("resource_id start_date end_date minutes"),
        belongs={
            "workspace": ("workspace_id", "workspaces"),
            "workspace_resource": ("workspace_resource_id", "workspace_resources"),
            "creator": ("creator_id", "users"),
        },
        many={"external_references": REFERENCES},
        bulk=200,
        deletable=True,
    ),
    Collection(
        "resource_requests",
        "resource_request",
        "ResourceRequest",
        4100,
        event="resource_request",
        create=words(
            "resource_id resource_workspace_id resource_role_id approver_ids workspace_allocation_start_date "
            "workspace_allocation_end_date workspace_allocation_percentage custom_fields external_reference"
        ),
        update=words("request_resolution_status user_id allocations_state external_reference"),
        belongs={"resource": ("resource_id", "workspace_resources"), "creator": ("creator_id", "users")},
        many={"approvers": Many("users", stored="approver_ids"), "external_references": REFERENCES},
    ),
    Collection(
        "assignments",
        "assignment",
        "Assignment",
        70400,
        event="assignment",
        create=words("story_id assignee_id resource_id estimated_minutes current external_reference"),
        update=words("assignee_id resource_id estimated_minutes current external_reference"),
        required=needs("story_id"),
        belongs={
            "story": ("story_id", "stories"),
            "assignee": ("assignee_id", "users"),
            "resource": ("resource_id", "workspace_resources"),
        },
        many={"external_references": REFERENCES},
        deletable=True,
    ),
    Collection(
        "workspace_groups",
        "workspace_group",
        "WorkspaceGroup",
        76,
        event="workspace_group",
        create=words(_GROUP + " custom_fields"),
        update=words(_GROUP + " remove_workspace_ids custom_fields"),
        required=needs("name"),
        many={
            "workspaces": Many("workspaces", stored="workspace_ids"),
            "external_references": REFERENCES,
            "custom_field_values": FIELD_VALUES,
        },
        deletable=True,
        admin_writes=True,
        searched=("name",),
    ),
    Collection(
        "users",
        "user",
        "User",
        3711194,
        event="user",
        update=words("full_name headline email_address external_reference custom_fields"),
        belongs={
            "role": ("role_id", "roles"),
            "account_membership": ("account_membership_id", "account_memberships"),
        },
        many={"external_references": REFERENCES, "custom_field_values": FIELD_VALUES},
        admin_writes=True,
        searched=("full_name", "email_address"),
    ),
    Collection(
        "account_memberships",
        "account_membership",
        "AccountMembership",
        55100,
        update=words(
            "bill_rate_in_cents cost_rate_in_cents default_role_id billability_target manager_id permission"
        ),
        belongs={
            "user": ("user_id", "users"),
            "default_role": ("default_role_id", "roles"),
            "manager": ("manager_id", "users"),
        },
        admin_writes=True,
    ),
    Collection(
        "roles",
        "role",
        "Role",
        30,
        event="role",
        create=words("name external_reference"),
        update=words("name external_reference"),
        required=needs("name"),
        many={"external_references": REFERENCES},
        deletable=True,
        admin_writes=True,
        searched=("name",),
    ),
    Collection(
        "skills",
        "skill",
        "Skill",
        610,
        event="skill",
        create=words("name max_level description skill_category_id role_ids external_reference"),
        update=words("name max_level description skill_category_id role_ids external_reference"),
        required=needs("name"),
        many={"roles": Many("roles", stored="role_ids"), "external_references": REFERENCES},
        deletable=True,
        admin_writes=True,
        searched=("name",),
    ),
    Collection(
        "rate_cards",
        "rate_card",
        "RateCard",
        200,
        many={"external_references": REFERENCES},
        searched=("name",),
    ),
    Collection(
        "project_tracker_templates",
        "project_tracker_template",
        "ProjectTrackerTemplate",
        11,
        belongs={"user": ("user_id", "users")},
        many={
            "project_template_assignments": Many(
                "project_template_assignments", foreign="project_template_id"
            )
        },
        optional=words("raw_json"),
        searched=("title",),
    ),
    Collection(
        "project_template_assignments",
        "project_template_assignment",
        "ProjectTemplateAssignment",
        1200,
        belongs={"role": ("role_id", "roles")},
    ),
    Collection(
        "custom_fields",
        "custom_field",
        "CustomField",
        4500,
        event="custom_field",
        create=words(
            "name value_type subject_type unique_constraint choices custom_field_set_id default_text"
        ),
        update=words("name unique_constraint choices default_text"),
        required=needs("name"),
        belongs={"creator": ("creator_id", "users")},
        many={"choices": Many("custom_field_choices", foreign="custom_field_id")},
        deletable=True,
        admin_writes=True,
        searched=("name",),
    ),
    Collection(
        "custom_field_choices",
        "custom_field_choice",
        "CustomFieldChoice",
        8800,
        create=words("label custom_field_id"),
        update=words("label"),
        required=needs("label custom_field_id"),
        belongs={"custom_field": ("custom_field_id", "custom_fields")},
        deletable=True,
        admin_writes=True,
        searched=("label",),
    ),
    Collection(
        "custom_field_values",
        "custom_field_value",
        "CustomFieldValue",
        660100,
        create=words("subject_type subject_id custom_field_id value"),
        update=words("value"),
        required=needs("subject_type subject_id custom_field_id value"),
        belongs={"custom_field": ("custom_field_id", "custom_fields"), "setter": ("setter_id", "users")},
        deletable=True,
    ),
    Collection(
        "external_references",
        "external_reference",
        "ExternalReference",
        8,
        create=words(
            "subject_type subject_id service_name service_model service_model_ref status external_link "
            "external_status external_message locked"
        ),
        update=words(
            "service_model service_model_ref status external_link external_status external_message locked"
        ),
        required=needs("subject_type subject_id service_name service_model service_model_ref"),
        deletable=True,
    ),
    Collection(
        "billing_milestones",
        "billing_milestone",
        "BillingMilestone",
        33100,
        event="billing_milestone",
        create=words("title date_to_invoice amount_in_cents workspace_id story_id external_reference"),
        update=words("title date_to_invoice amount_in_cents external_reference"),
        required=needs("title amount_in_cents workspace_id"),
        belongs={"workspace": ("workspace_id", "workspaces"), "story": ("story_id", "stories")},
        many={"external_references": REFERENCES},
        deletable=True,
        searched=("title",),
    ),
    Collection(
        "time_entries",
        "time_entry",
        "TimeEntry",
        8571774,
        event="time_entry",
        create=words(_TIME),
        update=words(_TIME),
        required=needs("workspace_id date_performed time_in_minutes"),
        belongs={
            "workspace": ("workspace_id", "workspaces"),
            "user": ("user_id", "users"),
            "story": ("story_id", "stories"),
            "role": ("role_id", "roles"),
        },
        many={"external_references": REFERENCES},
        optional=words("user_can_edit"),
        bulk=100,
        deletable=True,
        order="date_performed:desc",
        searched=("notes",),
    ),
    Collection("subscribed_events", "subscribed_event", "SubscribedEvent", 900, order="created_at:desc"),
)

COLLECTIONS = {each.key: each for each in _ALL}
# The path of the older contract; answers under its own key.
ALIASES = {"project_templates": "project_tracker_templates"}
SUBJECTS = {each.subject.lower(): each for each in _ALL}
EXTENSIBLE = ("Workspace", "Story", "User", "WorkspaceGroup", "Resource", "Estimate")
