"""Digests: alerts that are held back and told together

Revision: 0005, after 0004
"""

import sqlalchemy as sa

from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('digests',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sending_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('message_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digests'))
    )
    with op.batch_alter_table('digests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_digests_channel'), ['channel'], unique=False)

    with op.batch_alter_table('outgoing', schema=None) as batch_op:
        batch_op.add_column(sa.Column('digest_id', sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f('ix_outgoing_digest_id'), ['digest_id'], unique=False)
        batch_op.create_foreign_key(
            batch_op.f('fk_outgoing_digest_id_digests'), 'digests', ['digest_id'], ['id'],
            ondelete='SET NULL',
        )


def downgrade() -> None:
    # What is held or was gathered would be lost to the older schema: it goes out by itself.
    op.execute("UPDATE outgoing SET state = 'waiting' WHERE state = 'held'")
    with op.batch_alter_table('outgoing', schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f('fk_outgoing_digest_id_digests'), type_='foreignkey'
        )
        batch_op.drop_index(batch_op.f('ix_outgoing_digest_id'))
        batch_op.drop_column('digest_id')

    with op.batch_alter_table('digests', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_digests_channel'))

    op.drop_table('digests')
