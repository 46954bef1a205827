"""A cluster: leases, the form of a job's payload, and which older leakmon may stay

Revision: 0003, after 0002
"""

import sqlalchemy as sa

from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('leases',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('token', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_leases'))
    )
    op.create_table('schema_window',
    sa.Column('revision', sa.Text(), nullable=False),
    sa.Column('oldest', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('revision', name=op.f('pk_schema_window'))
    )
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.add_column(sa.Column('version', sa.Integer(), server_default='1', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.drop_column('version')

    op.drop_table('schema_window')
    op.drop_table('leases')
